/** A lease for a verb that makes or changes a dump, which waits a while for the daemon's and others'. */
import { setTimeout } from 'node:timers/promises'
import type { Lease, Leases } from '../archive/lease.ts'
import { SystemError } from '../base/errors.ts'

const usualWait = 20_000
const stepMs = 250

/** Throws where somebody else has the dump in hand for longer than `waitMs`. */
export async function leaseOn(leases: Pick<Leases, 'take'>, id: string, waitMs = usualWait): Promise<Lease> {
  for (let waited = 0; waited <= waitMs; waited += stepMs) {
    const lease = leases.take(id)
    if (lease !== undefined) return lease
    await setTimeout(stepMs)
  }
  throw new SystemError(
    `Dump ${id} is being analysed, imported, encrypted or shrunk, by this machine's daemon or another one's: try again when that is done.`,
  )
}
