import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bitsOf } from '../../src/policy/bitset.ts';
import { allowedBy, type Profile } from '../../src/policy/profile.ts';
import { createSeenFrom } from '../../src/policy/seen-from.ts';

const ENDS = 70;
/** Each end in one of the groups 1 to 3, or with the others. */
const profile = fc.tuple(fc.nat(9), fc.array(fc.nat(3), { minLength: ENDS, maxLength: ENDS })).map(
  ([others, places]): Profile => ({
    others,
    groups: [1, 2, 3].map((group) => ({
      ends: bitsOf(
        ENDS,
        places.flatMap((place, end) => (place === group ? [end] : [])),
      ),
      connections: 10 + group,
    })),
  }),
);

it('says what each profile says, whether its entries are written down or not', () => {
  fc.assert(
    fc.property(
      fc.array(profile, { maxLength: 5 }),
      fc.constantFrom(0, 120, undefined),
      (profiles, most) => {
        const seenFrom = createSeenFrom(profiles, ENDS, most);
        for (let end = ENDS - 1; end >= 0; end--)
          expect([...seenFrom(end)]).toEqual(profiles.map((each) => allowedBy(each, end)));
      },
    ),
  );
});
