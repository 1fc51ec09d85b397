import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import Sqlite from 'better-sqlite3'
import { SinkError } from '../../../src/base/errors.ts'
import { openCatalog } from '../../../src/catalog/index.ts'
import { applicationId, migrate, schemaVersion } from '../../../src/catalog/sqlite/migrate.ts'
import { migrations } from '../../../src/catalog/sqlite/schema/index.ts'
import { row } from '../../contract/catalog.ts'

const root = mkdtempSync(join(tmpdir(), 'gocore-catalog-'))
after(() => rmSync(root, { recursive: true }))
const fresh = (): string => join(mkdtempSync(join(root, 'x')), 'catalog.db')

const refused = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SinkError)
  assert.equal(error.code, code)
  assert.match(error.message, words)
  return true
}

describe('migrate()', () => {
  it('brings an empty file to the present version, once', () => {
    const db = new Sqlite(fresh())
    assert.equal(migrate(db, 'x'), 0)
    assert.equal(migrate(db, 'x'), schemaVersion)
    assert.equal(db.pragma('user_version', { simple: true }), schemaVersion)
    assert.equal(db.pragma('application_id', { simple: true }), applicationId)
    db.close()
  })

  it('brings an older file on and keeps its rows', () => {
    const path = fresh()
    const catalog = openCatalog(path)
    catalog.put(row({ id: 'aaaa' }), { message: 'alpha', frames: '' })
    catalog.close()
    const db = new Sqlite(path)
    const next = [...migrations, `ALTER TABLE crash ADD COLUMN namespace TEXT`]
    assert.equal(migrate(db, path, next), schemaVersion)
    assert.equal(migrate(db, path, next), next.length)
    assert.deepEqual(db.prepare('SELECT id, namespace FROM crash').all(), [{ id: 'aaaa', namespace: null }])
    db.close()
    assert.throws(
      () => openCatalog(path),
      refused(
        'UNSUPPORTED',
        new RegExp(`version ${next.length} and this program knows ${schemaVersion} at most`),
      ),
    )
  })

  it('leaves the file as it was when a step fails', () => {
    const path = fresh()
    openCatalog(path).close()
    const db = new Sqlite(path)
    assert.throws(() =>
      migrate(db, path, [...migrations, 'ALTER TABLE crash ADD COLUMN x TEXT; SELECT nothing']),
    )
    assert.equal(db.pragma('user_version', { simple: true }), schemaVersion)
    assert.equal(
      db.prepare(`SELECT count(*) FROM pragma_table_info('crash') WHERE name = 'x'`).pluck().get(),
      0,
    )
    db.close()
  })
})

describe('openCatalog()', () => {
  it('keeps no text of a dump that is gone, nor one that was put anew', () => {
    const path = fresh()
    const texts = ['Cause Alpha', 'Message Alpha', 'Cause Beta', 'Message Beta']
    const held = (): string[] => texts.filter(text => readFileSync(path).includes(text))
    const change = (work: (catalog: ReturnType<typeof openCatalog>) => void): void => {
      const catalog = openCatalog(path)
      work(catalog)
      catalog.close()
    }
    const put = (id: string, name: string): void =>
      change(catalog =>
        catalog.put(row({ id, cause: `Cause ${name}` }), { message: `Message ${name}`, frames: '' }),
      )
    put('aaaa', 'Alpha')
    put('bbbb', 'Beta')
    assert.deepEqual(held(), texts)
    change(catalog => catalog.remove('aaaa'))
    assert.deepEqual(held(), texts.slice(2))
    put('bbbb', 'Gamma')
    assert.deepEqual(held(), [])
  })

  it('puts a damaged file aside, says so, and begins anew', () => {
    const path = fresh()
    writeFileSync(path, 'SQLite format 3\0 and then nothing of the kind'.repeat(100))
    const told: string[] = []
    const catalog = openCatalog(path, { onRebuilt: sentence => told.push(sentence) })
    assert.deepEqual(catalog.list({}), [])
    catalog.close()
    assert.equal(told.length, 1)
    assert.match(told[0]!, /was damaged .* kept it as .*catalog\.db\.damaged/)
    assert.match(readFileSync(`${path}.damaged`, 'utf8'), /nothing of the kind/)
  })

  it("refuses another program's database and changes nothing", () => {
    const path = fresh()
    const db = new Sqlite(path)
    db.exec('CREATE TABLE theirs (a); PRAGMA user_version = 1')
    db.close()
    for (const readonly of [true, false])
      assert.throws(
        () => openCatalog(path, { readonly }),
        refused('UNSUPPORTED', /database of another program/),
      )
    assert.ok(!existsSync(`${path}.damaged`))
  })

  it('tells a reader what to do about a missing, damaged or newer file', () => {
    const path = fresh()
    assert.throws(
      () => openCatalog(path, { readonly: true }),
      refused('NOT_FOUND', /no catalog at .*reindex/),
    )
    writeFileSync(path, 'no database at all, but long enough to be one'.repeat(100))
    assert.throws(() => openCatalog(path, { readonly: true }), refused('SYSTEM', /is damaged .*reindex/))
    const newer = fresh()
    openCatalog(newer).close()
    const db = new Sqlite(newer)
    db.pragma('user_version = 99')
    db.close()
    assert.throws(() => openCatalog(newer, { readonly: true }), refused('UNSUPPORTED', /version 99/))
  })

  it('gives a reader in another process a steady view while the writer works', () => {
    const path = fresh()
    const catalog = openCatalog(path)
    catalog.put(row({ id: 'aaaa' }))
    catalog.transaction(() => {
      catalog.put(row({ id: 'bbbb' }))
      assert.equal(readElsewhere(path), 'aaaa')
    })
    assert.equal(readElsewhere(path), 'bbbb aaaa')
    catalog.close()
  })

  it('lets two writers take turns', () => {
    const path = fresh()
    const one = openCatalog(path)
    const two = openCatalog(path)
    one.put(row({ id: 'aaaa' }))
    two.put(row({ id: 'bbbb' }))
    assert.equal(one.list({}).length, 2)
    one.close()
    two.close()
  })

  const isRoot = process.getuid?.() === 0
  it('lets a user read who may not write there, whether the daemon runs or not', { skip: !isRoot }, () => {
    chmodSync(root, 0o755)
    const directory = join(root, 'shared')
    mkdirSync(directory, { mode: 0o755 })
    const path = join(directory, 'catalog.db')
    const catalog = openCatalog(path)
    catalog.put(row({ id: 'aaaa' }))
    assert.match(readElsewhere(path, nobody), /Cannot open the catalog .*EACCES/)
    catalog.close()
    chmodSync(path, 0o644)
    const again = openCatalog(path)
    assert.equal(readElsewhere(path, nobody), 'aaaa')
    again.close()
  })
})

const nobody = 65534

/** What a reading process finds, optionally one that dropped its rights. */
function readElsewhere(path: string, uid?: number): string {
  const source = new URL('../../../src/catalog/index.ts', import.meta.url).href
  const script = `import { openCatalog } from ${JSON.stringify(source)}
    ${uid === undefined ? '' : `process.setgroups([]); process.setgid(${uid}); process.setuid(${uid})`}
    const catalog = openCatalog(${JSON.stringify(path)}, { readonly: true })
    console.log(catalog.list({}).map(row => row.id).join(' '))`
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  return child.stdout.trim() || child.stderr
}
