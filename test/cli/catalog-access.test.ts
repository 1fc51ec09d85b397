import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openCatalog } from '../../src/catalog/index.ts'
import { openForReading } from '../../src/cli/catalog-access.ts'
import { defaultConfig } from '../../src/config/index.ts'
import { syncCatalog } from '../../src/daemon/index.ts'
import { addDump, testArchive } from '../daemon/archive.ts'

test('openForReading() brings today in where clocks that were wrong have left days to come', async () => {
  using archive = testArchive()
  for (const day of ['2136-01-01', '2136-01-02', '2136-01-03'])
    addDump(archive.store, { time: new Date(`${day}T10:00:00Z`) })
  const state = join(archive.directory, 'state')
  mkdirSync(state)
  const catalog = openCatalog(join(state, 'catalog.db'))
  await syncCatalog(archive.store, catalog)
  catalog.close()
  const today = addDump(archive.store)
  const config = { ...defaultConfig(), state, archive: archive.store.root }
  const reader = await openForReading({ config, store: archive.store, foreign: false })
  assert.ok(reader.get(today.id))
  reader.close()
})
