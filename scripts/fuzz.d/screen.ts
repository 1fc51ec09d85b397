/** What a person would see of a crash: all of it is printed, and nothing in it moves a cursor. */
import type { Manifest } from '../../src/archive/manifest.ts'
import { fromDump } from '../../src/cli/render/escape.ts'
import { infoSections } from '../../src/cli/render/info.ts'
import { show } from '../../src/cli/render/show.ts'
import type { Report } from '../../src/engine/report/report.ts'

const look = { width: 100, color: false, now: Date.parse('2026-11-23T18:05:00Z') }
const source = { lines: () => undefined, warnings: [], noneFound: true }
const controls = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

/** Throws where a control character is printed. */
export function printed(crash: { manifest?: Manifest; report?: Report }): void {
  const safe = fromDump(crash)
  const check = (line: string): void => {
    if (controls.test(line)) throw new Error(`a control character is printed: ${JSON.stringify(line)}`)
  }
  for (const line of show({ ...safe, target: '7f3k' }, look, { source, all: true })) check(line)
  for (const { title, list } of infoSections({ manifest: safe.manifest, summary: undefined }, 'core', true)) {
    check(title)
    for (const [name, value] of list) for (const line of [name, value ?? ''].flat()) check(String(line))
  }
}
