/** How the kernel refuses a change of configuration (include/uapi/asm-generic/errno*.h). */

const TEXT = {
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EINVAL: 'Invalid argument',
  ELOOP: 'Too many levels of symbolic links',
  ENETDOWN: 'Network is down',
  ENETUNREACH: 'Network is unreachable',
  ENODEV: 'No such device',
  ENOENT: 'No such file or directory',
  EOPNOTSUPP: 'Operation not supported',
  ESRCH: 'No such process',
} as const;

export type NetlinkErrno = keyof typeof TEXT;

/**
 * A request that rtnetlink turned down. `message` is what iproute2 prints: the kernel's extended
 * acknowledgement (`Error: Nexthop has invalid gateway.`) where it gives one, else the text of
 * errno (`RTNETLINK answers: File exists`).
 */
export class NetlinkError extends Error {
  readonly errno: NetlinkErrno;

  constructor(errno: NetlinkErrno, extack?: string) {
    super(extack === undefined ? `RTNETLINK answers: ${TEXT[errno]}` : `Error: ${extack}.`);
    this.name = 'NetlinkError';
    this.errno = errno;
  }
}

/** There is no such device: iproute2 finds that out by itself, in its own words. */
export const noDevice = (ifname: string): NetlinkError => {
  const error = new NetlinkError('ENODEV');
  error.message = `Cannot find device "${ifname}"`;
  return error;
};
