// Strings that a name must survive: words of WGSL and JavaScript, what our own text and tools use, characters that are not
// seen or that move the text around them, and the beginnings of attacks on whatever might read a name.
import fc from "fast-check";

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Keywords and reserved words of WGSL, and the types and functions that it predeclares. */
const wgsl = words(`
  alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop
  override requires return struct switch true var while
  NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class co_await
  co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval constexpr constinit
  crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export extends extern external
  fallthrough filter final finally friend from fxgroup get goto groupshared highp impl implements import inline instanceof
  interface layout lowp macro macro_rules match mediump meta mod module move mut mutable namespace new nil noexcept noinline
  nointerpolation non_coherent noncoherent noperspective null nullptr of operator package packoffset partial pass patch
  pixelfragment precise precision premerge priv protected pub public readonly ref regardless register reinterpret_cast require
  resource restrict self set shared sizeof smooth snorm static static_assert static_cast std subroutine super target template
  this thread_local throw trait try type typedef typeid typename typeof union unless unorm unsafe unsized use using varying
  virtual volatile wgsl where with writeonly yield
  bool f16 f32 i32 u32 vec2 vec3 vec4 vec2f vec4u mat2x2 mat4x4f array atomic ptr sampler texture_2d read write read_write
  workgroup storage uniform private function
  abs acos acosh all any asin asinh atan atan2 atanh atomicAdd bitcast ceil clamp cos cosh countOneBits cross degrees
  determinant distance dot exp exp2 extractBits faceForward firstLeadingBit floor fma fract frexp inverseSqrt ldexp length log
  log2 max min mix modf normalize pow quantizeToF16 radians reflect refract reverseBits round saturate select sign sin sinh
  smoothstep sqrt step storageBarrier subgroupAdd subgroupMax tan tanh transpose trunc workgroupBarrier workgroupUniformLoad
  global_invocation_id local_invocation_index num_workgroups position vertex fragment compute group binding builtin`);

const javascript = words(`
  __proto__ constructor prototype toString toLocaleString valueOf hasOwnProperty isPrototypeOf propertyIsEnumerable
  __defineGetter__ __lookupSetter__ then catch length name caller arguments undefined NaN Infinity -Infinity eval globalThis
  process require symbol Symbol.iterator toJSON inspect 0 1 -1 01 1e3 0x10 4294967295 9007199254740993`);

/** What kernels, printed terms, explanations and inputs are made of. */
const own = words(`
  w l kl y beta loss metrics next params rows shape gradient label labels lane base width main at_label m_policy c_0 z_policy_0
  e_policy_0 bad_policy slot.0 slot_0 slot1 s0 shape.vocab policy policy.logits.w ref.logps.l reward.w example.x ids.w token
  token.w batch vocab field.total[0] field.excess[1].policy.w %0 return const param input stop stopGrad x.prompt .prompt
  prompt policy.w "quoted" token."w" ?x`);

const attacks: readonly string[] = [
  "*/",
  "/*",
  "/**/",
  "//",
  "///",
  "*/ fn main() {}",
  '"',
  '""',
  '"}; @compute fn',
  "'",
  "''",
  "`",
  "`${1}`",
  "${process.exit(1)}",
  "$&",
  "$1",
  "$$",
  "$`",
  "\\",
  "\\\\",
  "\\n",
  "\\u0000",
  "\\x00",
  "%s",
  "%n%n%n",
  "%0: f32 = const 1",
  "{{7*7}}",
  "#{1}",
  "<%= 1 %>",
  "#",
  "#!/bin/sh",
  "; discard;",
  ";",
  ":",
  ",",
  ".",
  "..",
  "...",
  "../../etc/passwd",
  "/dev/null",
  "C:\\con",
  "CON",
  "NUL",
  "~",
  "-",
  "--",
  "-h",
  "--help",
  "--json",
  "--option=x",
  "=",
  "a=b",
  "a,b",
  "a b",
  " ",
  "  ",
  " a",
  "a ",
  "@group(0) @binding(0)",
  "@",
  "&",
  "&&",
  "|",
  "||",
  "!",
  "'; DROP TABLE objectives; --",
  "1 OR 1=1",
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "&lt;",
  "]]>",
  "<!--",
  "-->",
  "<?xml?>",
  "$(reboot)",
  "`reboot`",
  "| cat",
  "> file",
  "*",
  "?",
  "[",
  "]",
  "{",
  "}",
  "(",
  ")",
  "[0]",
  "{}",
  "[",
  "[]]",
  "return loss = %0",
  "a\nreturn loss = %0",
  "a\nb",
  "\n",
  "\r",
  "\r\n}",
  "a\r\nb",
  "\t",
  "a\tb",
  "\n\n\n",
  "- item",
  "# heading",
  "**bold**",
  "[link](javascript:1)",
  "![x](y)",
  "| a | b |",
  "---",
  "```",
  "~~~",
  "\u001b[31mred\u001b[0m",
  "\u001b]0;title\u0007",
  "\u001b[2J",
  "\u009b31m",
  "\b\b\b",
  "null",
  "true",
  '"name": 1',
  '{"a":1}',
  "\ufeff",
  "\ufeffa",
  "a\u0000b",
];

const code = (...points: readonly number[]): string => String.fromCodePoint(...points);
const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

/** Each alone and between letters: controls, directions, nothing at all, odd spaces, marks, halves of pairs. */
const characters = [
  ...range(0x00, 0x1f),
  ...range(0x7f, 0x9f),
  0xa0,
  0xad,
  0x034f,
  0x061c,
  0x115f,
  0x1160,
  0x1680,
  0x17b4,
  0x180e,
  ...range(0x2000, 0x200f),
  ...range(0x2028, 0x202f),
  ...range(0x205f, 0x206f),
  0x2800,
  0x3000,
  0x3164,
  0xfe00,
  0xfe0f,
  0xfeff,
  0xffa0,
  0xfff9,
  0xfffb,
  0xfffc,
  0xfffd,
  0xfffe,
  0xffff,
  0x1d173,
  0xe0001,
  0xe0061,
  0xe007f,
  0xe0100,
  0xf0000,
  0x10ffff,
  0x0300,
  0x0301,
  0x0338,
  0x20dd,
  0x0489,
  0x0e31,
  0x1ab0,
].map((point) => code(point));
const halves = ["\ud800", "\udbff", "\udc00", "\udfff", "\udc00\ud800"];
const unicode: readonly string[] = [
  ...characters,
  ...characters.map((text) => `a${text}b`),
  ...halves,
  ...halves.map((text) => `a${text}b`),
  "偏好 👍🏽",
  "β",
  "é",
  "e\u0301",
  "ﬁ",
  "ſ",
  "İ",
  "ı",
  "ß",
  "Å",
  "\u212b",
  "𝛽",
  "שלום",
  "مرحبا",
  "a\u202eb\u202c",
  "\u2066a\u2069",
  "👩‍👩‍👧",
  "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
  "Z\u0351\u036b\u0343\u036a".repeat(20),
  "٣",
  "½",
  "∞",
  "−1",
  "‘’“”",
  "，",
  "／／",
  "＊／",
];

const long: readonly string[] = [199, 200].flatMap((length) =>
  ["x", "\u0000", "\u202e", '"', "\ud800", "é"].map((text) => text.repeat(length)),
);

/** At least 500 different strings of 1 to 200 units that a name may be. */
export const hostileNames: readonly string[] = [
  ...new Set([...wgsl, ...javascript, ...own, ...attacks, ...unicode, ...long]),
];

/** What a name may not be, and a sentence says so. */
export const refusedNames: readonly unknown[] = [
  "",
  "x".repeat(201),
  "\u202e".repeat(10_000),
  "x".repeat(1_000_000),
  undefined,
  null,
  0,
  NaN,
  {},
  [],
  ["a"],
  () => "a",
  Symbol("a"),
  1n,
  true,
  new String("a"),
  {
    toString: () => {
      throw new Error("on purpose");
    },
  },
];

/** Any of them, pieces of them, and anything else; what ends in [] names a list of responses. */
export const hostileName: fc.Arbitrary<string> = fc
  .oneof(
    fc.constantFrom(...hostileNames),
    fc
      .array(fc.constantFrom(...hostileNames), { minLength: 2, maxLength: 4 })
      .map((parts) => parts.join("").slice(0, 200)),
    fc.string({ minLength: 1, maxLength: 40, unit: "binary" }),
    fc.string({ minLength: 1, maxLength: 40 }),
  )
  .filter((name) => !name.endsWith("[]"));

/** What a sentence, or a line that a terminal shows, may hold: nothing unseen and no line break. */
export const isOneSafeLine = (text: string): boolean =>
  !/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u.test(text);
