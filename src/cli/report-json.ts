/** Reports for programs, as gocore-report(5) describes them. */
import type { Goroutine, Report } from '../engine/report/report.ts'
import { jsonDocument } from './render/json.ts'

/** A report as it is, one goroutine a line. */
export function* reportJson(report: Report): Generator<string> {
  const { goroutines, ...rest } = report
  yield* jsonDocument(rest, 'goroutines', goroutines)
}

/** A report whose goroutines come one by one; how many did is told after them. */
export function* goroutinesJson(report: Report, goroutines: Iterable<Goroutine>): Generator<string> {
  const { goroutines: _, goroutinesOmitted: __, ...rest } = report
  let listed = 0
  const counted = (function* () {
    for (const goroutine of goroutines) {
      listed++
      yield goroutine
    }
  })()
  yield* jsonDocument(rest, 'goroutines', counted, () => ({
    goroutinesOmitted: report.goroutineCount - listed,
  }))
}
