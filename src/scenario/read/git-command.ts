/** The system's git, asked for objects of a repository: the one place of this layer that runs a program. */
import { spawnSync } from 'node:child_process';

export type GitAnswer =
  | { readonly ok: true; readonly out: Uint8Array }
  /** `missing`: there is no git. `failed`: it says why, without its `fatal: `. */
  | { readonly ok: false; readonly why: 'missing' | 'failed'; readonly said: string };

/** Bytes that git printed, as text. */
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/**
 * Runs git in the current directory, without a shell. Only commands that read objects are for it:
 * they run no hook, no filter and no pager of the repository.
 * @param input what it reads from standard input
 */
export const git = (args: readonly string[], input = ''): GitAnswer => {
  const { error, status, stdout, stderr } = spawnSync('git', [...args], {
    input,
    maxBuffer: Number.POSITIVE_INFINITY,
    windowsHide: true,
  });
  if (error)
    return {
      ok: false,
      why: 'code' in error && error.code === 'ENOENT' ? 'missing' : 'failed',
      said: error.message,
    };
  if (status === 0) return { ok: true, out: stdout };
  const [line = ''] = textOf(stderr).split('\n');
  return { ok: false, why: 'failed', said: line.replace(/^(?:fatal|error): /, '') };
};
