/** Reads `report.json` as far as the daemon relies on it. A report comes of hostile input: shapes are checked. */
import { FormatError } from '../base/errors.ts'
import {
  boolean,
  type Check,
  fields,
  integer,
  listOf,
  mapOf,
  number,
  oneOf,
  optional,
  text,
} from '../base/shape.ts'
import { type Report, reportVersion } from '../engine/report/report.ts'

const frame = fields({
  ...{ function: text, file: text, line: number, module: optional(text), offset: optional(number), pc: text },
  ...{ sp: optional(text), inlined: boolean, args: text, hidden: optional(boolean) },
})
const frames = listOf(frame)
const creator = fields({
  ...{ function: text, file: text, line: number, offset: number, pc: text, goroutine: optional(number) },
})
const panics = listOf(
  fields({ text, type: optional(text), recovered: boolean, repanicked: boolean, goexit: boolean }),
)
const goModule: Check = (value, place) =>
  fields({ path: text, version: optional(text), sum: optional(text), replace: optional(goModule) })(
    value,
    place,
  )

const shape = fields({
  core: fields({
    ...{ expectedSize: number, size: number, complete: boolean, arch: text },
    ...{ bytesFromCore: optional(number), bytesFromFiles: optional(number) },
  }),
  program: fields({
    ...{
      name: text,
      path: optional(text),
      args: optional(text),
      pid: optional(number),
      uid: optional(number),
    },
    ...{ gid: optional(number), buildId: optional(text), goBuildId: optional(text), pie: optional(boolean) },
    stripped: optional(oneOf('none', 'symbols', 'dwarf', 'both')),
    language: oneOf('go', 'c', 'unknown'),
  }),
  go: optional(
    fields({
      ...{ version: text, os: optional(text), arch: optional(text), main: optional(goModule) },
      ...{ path: optional(text), modules: optional(listOf(goModule)), settings: optional(mapOf(text)) },
      vcs: optional(
        fields({
          ...{ system: optional(text), revision: optional(text), time: optional(text) },
          modified: optional(boolean),
        }),
      ),
      ...{ gomaxprocs: optional(number), layout: oneOf('dwarf', 'table', 'guess') },
    }),
  ),
  death: fields({
    kind: oneOf('panic', 'fatal', 'signal', 'killed', 'alive', 'unknown'),
    ...{ message: text, verdict: text, lines: optional(listOf(text)), signal: optional(number) },
    ...{ signalName: optional(text), signalCode: optional(number), signalCodeName: optional(text) },
    ...{ address: optional(text), pc: optional(text), finalSignal: optional(number) },
    sender: optional(fields({ pid: number, uid: number })),
    ...{ goroutine: optional(number), thread: optional(number), panics, printed: optional(text) },
  }),
  goroutineCount: integer,
  goroutines: listOf(
    fields({
      ...{ id: number, state: text, status: text, waitReason: optional(text), waitSinceNs: optional(number) },
      ...{ waitNs: optional(number), lockedToThread: boolean, thread: optional(number), system: boolean },
      ...{ labels: optional(mapOf(text)), frames, framesOmitted: optional(number) },
      ...{ framesOmittedAfter: optional(number), createdBy: optional(creator), panics: optional(panics) },
    }),
  ),
  goroutinesOmitted: number,
  groups: listOf(
    fields({
      ...{ count: number, ids: listOf(number), state: text, longestWaitNs: optional(number) },
      ...{ system: boolean, frames, createdBy: optional(creator) },
    }),
  ),
  threads: listOf(
    fields({
      ...{ tid: number, crashed: boolean, goroutine: optional(number) },
      stack: oneOf('goroutine', 'g0', 'gsignal', 'c', 'unknown'),
      ...{ frames, registers: mapOf(text) },
    }),
  ),
  signature: fields({ key: text, text }),
  warnings: listOf(fields({ code: text, message: text })),
} satisfies Partial<Record<keyof Report, Check>>)

/** Throws FormatError for what is not a report of a version that this program reads. */
export function parseReport(text: string, file: string): Report {
  const fail = (problem: string): never => {
    throw new FormatError({ file, section: 'report', offset: 0 }, problem)
  }
  let value: Partial<Report> | null
  try {
    value = JSON.parse(text) as Partial<Report> | null
  } catch (error) {
    return fail(`not JSON: ${(error as Error).message}`)
  }
  if (value?.schema !== 'gocore-report') return fail('it is not a gocore-report')
  if (value.version !== reportVersion)
    return fail(`version ${String(value.version)} is not one that this program reads`)
  const problem = shape(value, '')
  return problem === undefined ? (value as Report) : fail(problem)
}
