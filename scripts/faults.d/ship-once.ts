/** Brings a spool home, once: `ship-once.ts SPOOL ARCHIVE`, a process of its own for the shim. */
import { initializeStore, openLocalStore } from '../../src/archive/index.ts'
import { shipSpool } from '../../src/daemon/ship.ts'

const [spool, archive] = process.argv.slice(2).map(root => openLocalStore(root))
initializeStore(archive!)
for (const { failed } of await shipSpool(spool!, archive!)) if (failed !== undefined) throw new Error(failed)
