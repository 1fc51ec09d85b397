/** What install did, for uninstall: the kernel's former settings and the files put down. */
import { readFileSync } from 'node:fs'
import { SystemError } from '../base/errors.ts'

export interface InstallRecord {
  readonly schema: 'gocore-sink-install'
  readonly version: 1
  /** The version's directory. */
  readonly program: string
  /** What we wrote to core_pattern; uninstall gives it back only while it is still this. Absent where staged. */
  readonly pattern?: string
  /** Values before the first installation. */
  readonly previous: { readonly core_pattern?: string; readonly core_pipe_limit?: string }
  readonly files: readonly string[]
  /** Those that versions before put down and this one removed: their directories are left to uninstall. */
  readonly former?: readonly string[]
  /** As it was written, empty where one was there before; what is not that any more is the administrator's. */
  readonly config: { readonly path: string; readonly sha256: string }
  readonly settings: { readonly archive: string; readonly state: string; readonly run: string }
}

export const formatRecord = (record: InstallRecord): string => `${JSON.stringify(record, undefined, 2)}\n`

/** The record, or undefined where nothing is installed. */
export function readRecord(path: string): InstallRecord | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const record = JSON.parse(text) as InstallRecord
  if (record.schema !== 'gocore-sink-install' || record.version !== 1)
    throw new SystemError(`${path} is of another version of gocore-sink; use that version's uninstall`)
  return record
}
