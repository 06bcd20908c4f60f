/** Stage: two containers of one Pod talk over `lo` of the namespace that they share. */
import type { Stage } from '../stage.ts';
import { tappedDevices } from '../taps-passed.ts';

export const onePod: Stage = {
  id: 'one-pod',
  question: { scenario: 'basics/one-pod', from: 'shop:app', to: 'shop:cache' },
  options: ['lo', 'eth0', 'cni0'],
  grade: ({ facts }) => {
    const devices = tappedDevices(facts);
    return devices.length === 1 ? devices[0] : undefined;
  },
};
