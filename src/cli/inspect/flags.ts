/** EFLAGS and MXCSR in words: Intel SDM vol. 1, 3.4.3 and 10.2.3. */

type Flags = readonly (readonly [name: string, bit: number, width?: number])[]

/** From bit 0 on. */
const eflags: Flags = [
  ['CF', 0],
  ['', 1],
  ['PF', 2],
  ['AF', 4],
  ['ZF', 6],
  ['SF', 7],
  ['TF', 8],
  ['IF', 9],
  ['DF', 10],
  ['OF', 11],
  ['IOPL', 12, 2],
  ['NT', 14],
  ['RF', 16],
  ['VM', 17],
  ['AC', 18],
  ['VIF', 19],
  ['VIP', 20],
  ['ID', 21],
]

const mxcsr: Flags = [
  ['IE', 0],
  ['DE', 1],
  ['ZE', 2],
  ['OE', 3],
  ['UE', 4],
  ['PE', 5],
  ['DAZ', 6],
  ['IM', 7],
  ['DM', 8],
  ['ZM', 9],
  ['OM', 10],
  ['UM', 11],
  ['PM', 12],
  ['RC', 13, 2],
  ['FZ', 15],
]

/** `[PF ZF IF IOPL=0]` as dlv has it, `[ PF ZF IF ]` as gdb has it. */
export function eflagsText(value: bigint, style: 'dlv' | 'gdb'): string {
  return flagsText(eflags, value, style)
}

/** dlv lists it from the highest bit on, and calls the rounding control RZ/RN. */
export function mxcsrText(value: number, style: 'dlv' | 'gdb'): string {
  if (style === 'gdb') return flagsText(mxcsr, BigInt(value), style)
  const renamed = mxcsr.map(([name, ...rest]) => [name === 'RC' ? 'RZ/RN' : name, ...rest] as const)
  return flagsText(renamed.toReversed(), BigInt(value), style)
}

function flagsText(flags: Flags, value: bigint, style: 'dlv' | 'gdb'): string {
  const words: string[] = []
  for (const [name, bit, width = 1] of flags) {
    const field = (value >> BigInt(bit)) & ((1n << BigInt(width)) - 1n)
    if (name === '') continue
    if (width === 1 && field === 1n) words.push(name)
    // gdb leaves a field of several bits out where it is 0.
    else if (width > 1 && (style === 'dlv' || field !== 0n)) words.push(`${name}=${field}`)
  }
  return style === 'gdb' ? `[ ${words.map(word => `${word} `).join('')}]` : `[${words.join(' ')}]`
}
