/**
 * The programs that tests start: what people install, where `scripts/test` has built it of this source, and else the
 * source, whose hundreds of modules take four times as long to load.
 */
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const program = (built: string, source: string): string =>
  join(root, process.env.GOCORE_SINK_TEST_BUILT === '1' ? built : source)

export const commandLine = program('dist/cli.cjs', 'src/cli/main.ts')
export const handler = program('dist/handler.cjs', 'src/handler/main.ts')
export const daemon = program('dist/daemon.js', 'src/daemon/main.ts')
