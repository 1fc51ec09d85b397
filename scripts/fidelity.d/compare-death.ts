/**
 * Compares how a program died with what it printed above the first stack: for a panic and a fatal error every line, for
 * a signal its name and the line `PC=0x47e701 m=0 sigcode=1 addr=0x10` (runtime/signal_unix.go fatalsignal).
 */
import type { Death } from '../../src/engine/report/report.ts'
import type { Traceback } from '../../test/support/traceback.ts'
import { differ } from './compare.ts'

/** What a death begins with, after what the program printed itself. */
const firstWords = /^(panic: |fatal error: |SIG[A-Z0-9]+: )/

/**
 * The lines that tell of the death, without the blank one behind them. Two threads that find the same fatal error at
 * once, two writers of a map, both print it before one of them goes on: it is taken once, here and in the report.
 */
export function deathLines({ preamble }: Traceback): string[] {
  const from = preamble.findIndex(line => firstWords.test(line))
  const lines = from < 0 ? [] : preamble.slice(from)
  while (lines.at(-1) === '') lines.pop()
  return lines.filter(isNew)
}

function isNew(line: string, i: number, lines: readonly string[]): boolean {
  return !(line.startsWith('fatal error: ') && line === lines[i - 1])
}

export function compareDeath(traceback: Traceback, death: Death): string[] {
  const said = deathLines(traceback)
  const lines: string[] = []
  if (said.length === 0) return ['- no line of the text says how it died']
  differ(lines, 'death', said[0]!, death.message.split('\n')[0]!)
  if (said[0]!.startsWith('SIG')) compareSignal(lines, said, death)
  else differ(lines, 'death', said.join('\n'), (death.lines ?? []).filter(isNew).join('\n'))
  return lines
}

function compareSignal(lines: string[], said: string[], death: Death): void {
  const place = said.map(line => /^PC=(\S+) m=\d+ sigcode=(\d+)(?: addr=(\S+))?$/.exec(line)).find(Boolean)
  if (!place) return
  differ(lines, 'pc', place[1]!, death.pc ?? 'none')
  // Printed as 64 bits without a sign.
  differ(lines, 'sigcode', String(BigInt.asIntN(64, BigInt(place[2]!))), String(death.signalCode))
  // The runtime prints the word where an address would be, also for a signal that has a sender there.
  if (place[3] !== undefined && death.sender === undefined && death.address !== undefined)
    differ(lines, 'address', place[3], death.address)
}
