/** The files of an analysis job, opened before a child shuts itself in, and handed to the engine by what they are. */
import { MismatchError } from '../base/errors.ts'
import type { FileProvider } from '../engine/index.ts'
import { type OpenSource, openFile } from '../source/index.ts'
import type { JobBinary } from './analysis-job.ts'

export type OpenBinary = JobBinary & { readonly source: OpenSource }

export const openBinary = (binary: JobBinary): OpenBinary => ({
  ...binary,
  source: openFile(binary.file, { links: false }),
})

/** A binary that can't be opened is one the engine does without, and says so. */
export function openBinaries(binaries: readonly JobBinary[]): OpenBinary[] {
  return binaries.flatMap(binary => {
    try {
      return openBinary(binary)
    } catch {
      return []
    }
  })
}

/**
 * What `work` makes of the core with these binaries. An executable that turns out to be another program's is left out,
 * and named: the core alone still says how it died.
 */
export function withBinaries<T>(
  binaries: readonly OpenBinary[],
  work: (files: FileProvider) => T,
): { readonly result: T; readonly mismatch?: string } {
  try {
    return { result: work(providerOf(binaries)) }
  } catch (error) {
    if (!(error instanceof MismatchError)) throw error
    const rest = binaries.filter(({ role }) => role !== 'executable')
    return { result: work(providerOf(rest)), mismatch: error.message }
  }
}

/** By build id, else by name. The executable came of /proc/PID/exe: it is the program, under whatever name. */
export function providerOf(binaries: readonly OpenBinary[]): FileProvider {
  return {
    find: ({ path, buildId, role }) => {
      const byId = buildId === undefined ? undefined : binaries.find(binary => binary.buildId === buildId)
      const named = binaries.find(binary =>
        role === 'executable' ? binary.role === role : binary.path === path,
      )
      return (byId ?? named)?.source
    },
  }
}
