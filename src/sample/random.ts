// Random numbers that a seed determines, so that a failing batch can be made again on any machine. A counter is
// scrambled by a 32-bit mixing function; the quality that test data need is far below that of cryptography.

export interface Random {
  /** In [0, 1). */
  readonly uniform: () => number;
  /** From the standard normal distribution. */
  readonly normal: () => number;
  /** A whole number from `from` to `to`, both included. */
  readonly integer: (from: number, to: number) => number;
  /** The numbers 0 … count−1 in random order. */
  readonly order: (count: number) => readonly number[];
}

/** Two multiplications between shifts; the multipliers are those of Wellons' search for low bias ("lowbias32"). */
function mixed(word: number): number {
  let x = word | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

/** The numbers of one stream of a seed; streams of one seed are unrelated. */
export function random(seed: number, stream: number): Random {
  const key = mixed(mixed(seed) ^ mixed(stream + 0x3c6ef372));
  let counter = 0;
  const uniform = (): number => mixed(key + Math.imul(++counter, 0x9e3779b9)) / 2 ** 32;
  const integer = (from: number, to: number): number =>
    from + Math.floor(uniform() * (to - from + 1));
  return {
    uniform,
    // Box and Muller; 1 − u is never 0
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    integer,
    order: (count) => {
      const numbers = Array.from({ length: count }, (_, index) => index);
      for (let last = count - 1; last > 0; last--) {
        const other = integer(0, last);
        [numbers[last], numbers[other]] = [numbers[other]!, numbers[last]!];
      }
      return numbers;
    },
  };
}
