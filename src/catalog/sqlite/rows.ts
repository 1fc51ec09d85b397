/** Between CrashRow and the columns of table `crash`, by one table of names. */
import type { CrashRow } from '../catalog.ts'

const columnOf = {
  id: 'id',
  day: 'day',
  time: 'time',
  host: 'host',
  pid: 'pid',
  uid: 'uid',
  comm: 'comm',
  exe: 'exe',
  signal: 'signal',
  signalName: 'signal_name',
  coreState: 'core_state',
  coreReason: 'core_reason',
  rawSize: 'raw_size',
  storedSize: 'stored_size',
  expectedSize: 'expected_size',
  heldMs: 'held_ms',
  pinned: 'pinned',
  held: 'held',
  shrunk: 'shrunk',
  analysis: 'analysis',
  analysisError: 'analysis_error',
  goVersion: 'go_version',
  programVersion: 'program_version',
  deathKind: 'death_kind',
  cause: 'cause',
  causeAt: 'cause_at',
  signatureKey: 'signature_key',
  signatureText: 'signature_text',
  goroutines: 'goroutines',
} as const satisfies Record<keyof CrashRow, string>

const fields = Object.keys(columnOf) as (keyof CrashRow)[]

/** `crash.id AS id, …`: each row comes out as a CrashRow but for the booleans. */
export const selectList = fields.map(field => `crash.${columnOf[field]} AS ${field}`).join(', ')

/** `program` is derived: what people call it. */
const columns = [...Object.values(columnOf), 'program']

/** Replaces by id and keeps the key, which the text hangs on. */
export const upsert = `
INSERT INTO crash (${columns.join(', ')}, manifest_time)
VALUES (${fields.map(field => `@${field}`).join(', ')}, @program, @manifestTime)
ON CONFLICT (id) DO UPDATE SET
${columns.map(column => `${column} = excluded.${column}`).join(', ')},
manifest_time = coalesce(excluded.manifest_time, manifest_time)
RETURNING key`

type Flag = 'pinned' | 'held' | 'shrunk'
export type StoredRow = Omit<CrashRow, Flag> & Record<Flag, 0 | 1>

export const toStored = (row: CrashRow): StoredRow & { program: string } => ({
  ...row,
  pinned: row.pinned ? 1 : 0,
  held: row.held ? 1 : 0,
  shrunk: row.shrunk ? 1 : 0,
  program: programOf(row),
})

export const fromStored = (row: StoredRow): CrashRow => ({
  ...row,
  pinned: row.pinned === 1,
  held: row.held === 1,
  shrunk: row.shrunk === 1,
})

const programOf = ({ exe, comm }: CrashRow): string => exe.slice(exe.lastIndexOf('/') + 1) || comm
