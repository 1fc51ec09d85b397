/** Signal names. */
import { constants } from 'node:os'
import { UsageError } from '../base/errors.ts'

/** The number of `SEGV`, `SIGSEGV`, `segv` or `11`. */
export function parseSignal(text: string, option = '--signal'): number {
  if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= 64) return Number(text)
  const name = text.toUpperCase()
  const signals = constants.signals as Record<string, number>
  const number = signals[name.startsWith('SIG') ? name : `SIG${name}`]
  if (number === undefined)
    throw new UsageError(
      `${option} takes the name or number of a signal, such as SEGV or 6, not ${JSON.stringify(text)}.`,
    )
  return number
}
