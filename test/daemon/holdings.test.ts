import assert from 'node:assert/strict'
import { existsSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openCatalog } from '../../src/catalog/index.ts'
import { defaultConfig } from '../../src/config/index.ts'
import { Holdings } from '../../src/daemon/holdings.ts'
import { openLog } from '../../src/daemon/log.ts'
import { syncCatalog, syncDump } from '../../src/daemon/sync.ts'
import { addDump, testArchive } from './archive.ts'

test('a catalog whose file was replaced is left for the one in its place, whose log stays', async () => {
  using archive = testArchive()
  const { store, directory } = archive
  const state = join(directory, 'state')
  mkdirSync(state)
  let begun = 0
  const holdings = new Holdings({
    config: { ...defaultConfig(), archive: store.root, state },
    log: openLog('debug', { fd: openSync(join(directory, 'log'), 'a'), journal: false }),
    onNewCatalog: () => void begun++,
  })
  syncDump(store, holdings.catalog, addDump(store))
  holdings.followCatalog()
  assert.equal(begun, 0)
  const path = join(state, 'catalog.db')
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  const other = openCatalog(path)
  await syncCatalog(store, other)
  assert.ok(existsSync(`${path}-wal`))
  holdings.followCatalog()
  assert.equal(begun, 1)
  syncDump(store, holdings.catalog, addDump(store))
  assert.deepEqual([other.list({}).length, holdings.catalog.list({}).length], [2, 2])
  other.close()
  holdings.catalog.close()
})
