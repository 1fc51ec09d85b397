import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Node's own place for it; without it each process that runs from source strips the types of a hundred files anew. */
export const compileCache = process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'node-compile-cache')
