/** Registers in columns, as many as fit. */
import type { Hex } from '../../engine/report/report.ts'
import type { Look } from './style.ts'

export function* registerLines(registers: Readonly<Record<string, Hex>>, look: Look): Generator<string> {
  const entries = Object.entries(registers)
  if (entries.length === 0) return
  const name = Math.max(...entries.map(([key]) => key.length))
  const cells = entries.map(([key, value]) => `${key.padStart(name)} ${value.padEnd(18)}`)
  const perLine = Math.max(1, Math.floor((Math.min(look.width, 100) - 4) / (cells[0]!.length + 2)))
  for (let i = 0; i < cells.length; i += perLine)
    yield `    ${cells.slice(i, i + perLine).join('  ')}`.trimEnd()
}
