import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { initializeStore } from '../../src/archive/index.ts'
import { defaultConfig } from '../../src/config/index.ts'
import { encryptDump } from '../../src/daemon/encrypt.ts'
import { mountTmpfs } from '../support/tmpfs.ts'
import { addDump, testArchive } from './archive.ts'

const recipients = ['age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj']
const { user } = defaultConfig().analysis

describe('encryptDump()', () => {
  it('puts an encrypted core in the place of a plain one, unless somebody else has taken the dump over', async () => {
    using archive = testArchive()
    const { store } = archive
    const ref = addDump(store)
    const path = store.layout.file(ref, 'manifest.json')
    const before = readFileSync(path, 'utf8')
    const options = { recipients, user }
    await assert.rejects(encryptDump(store, ref, { ...options, isHeld: () => false }), /has taken it over/)
    assert.equal(readFileSync(path, 'utf8'), before)
    assert.ok(readdirSync(store.layout.dump(ref)).includes('core.lz4'))
    assert.equal(await encryptDump(store, ref, { ...options, isHeld: () => true }), true)
    assert.equal(store.readManifest(ref).core.file, 'core.lz4.age')
    assert.deepEqual(readdirSync(store.layout.dump(ref)).sort(), ['core.lz4.age', 'manifest.json'])
  })

  it('begins nothing where there is no room for both cores: a crash that comes meanwhile would be cut', {
    skip: process.getuid?.() === 0 ? false : 'mounting takes root',
  }, async () => {
    using archive = testArchive()
    const { store } = archive
    using _disk = mountTmpfs(store.root, 'size=8m,mode=755')
    initializeStore(store)
    const ref = addDump(store, { core: randomBytes(5 << 20) })
    let least = Number.POSITIVE_INFINITY
    const isHeld = (): boolean => {
      least = Math.min(least, store.usage().free)
      return true
    }
    await assert.rejects(encryptDump(store, ref, { recipients, user, isHeld }), /the archive does not have/)
    assert.equal(least, Number.POSITIVE_INFINITY, 'nothing was written')
    const small = addDump(store, { core: randomBytes(100_000) })
    assert.equal(await encryptDump(store, small, { recipients, user }), true)
  })

  it('leaves nothing behind where there is no room for the manifest', async t => {
    using archive = testArchive()
    const { store } = archive
    const ref = addDump(store)
    const full = Object.assign(new Error('full'), { errno: -28, code: 'ENOSPC' })
    t.mock.method(store, 'changeManifest', () => {
      throw full
    })
    await assert.rejects(encryptDump(store, ref, { recipients, user }), full)
    assert.deepEqual(readdirSync(store.layout.dump(ref)).sort(), ['core.lz4', 'manifest.json'])
  })
})
