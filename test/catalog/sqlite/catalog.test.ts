import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { openCatalog } from '../../../src/catalog/index.ts'
import { catalogContract } from '../../contract/catalog.ts'

const directory = mkdtempSync(join(tmpdir(), 'gocore-catalog-'))
after(() => rmSync(directory, { recursive: true }))

let count = 0
catalogContract('SqliteCatalog on a file', () => openCatalog(join(directory, `${count++}.db`)))
catalogContract('SqliteCatalog in memory', () => openCatalog(':memory:'))
