/** A lease for a verb that changes a dump: short work, which waits a while for the daemon's. */
import { setTimeout } from 'node:timers/promises'
import type { Lease, Leases } from '../archive/lease.ts'
import { SystemError } from '../base/errors.ts'

const waitMs = 20_000
const stepMs = 250

/** Throws where somebody else has the dump in hand for longer than people wait. */
export async function leaseOn(leases: Leases, id: string): Promise<Lease> {
  for (let waited = 0; waited <= waitMs; waited += stepMs) {
    const lease = leases.take(id)
    if (lease !== undefined) return lease
    await setTimeout(stepMs)
  }
  throw new SystemError(
    `Dump ${id} is being analysed, encrypted or shrunk, by this machine's daemon or another one's: try again when that is done.`,
  )
}
