/** Reads `report.json` as far as the daemon relies on it. A report comes of hostile input: shapes are checked. */
import { FormatError } from '../base/errors.ts'
import { type Report, reportVersion } from '../engine/report/report.ts'

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
  for (const key of ['core', 'program', 'death', 'signature'] as const)
    if (typeof value[key] !== 'object' || value[key] === null) return fail(`${key} is missing`)
  for (const key of ['goroutines', 'groups', 'threads', 'warnings'] as const)
    if (!Array.isArray(value[key])) return fail(`${key} is missing`)
  if (!Array.isArray(value.death!.panics)) return fail('death.panics is missing')
  return value as Report
}
