/** `many-dumps.ts ARCHIVE COUNT`: so many records of crashes without a core, of now. Runs in the machine. */
import { initializeStore, openLocalStore } from '../../src/archive/index.ts'
import { addDump } from '../../test/daemon/archive.ts'

const [root, count] = process.argv.slice(2) as [string, string]
const store = openLocalStore(root)
initializeStore(store)
for (let n = 0; n < Number(count); n++) addDump(store, { core: null })
