/**
 * Runs the tests: `node scripts/run-tests.ts [FILE or word …]`. A word selects the test files whose path holds it.
 * Skipped tests are listed by name with their reason; in CI (CI=true) a skipped test fails the run. What still runs after
 * three quarters of an hour is killed, with all that it started: node's runner waits for ever for a pipe that an orphan holds.
 */
import { randomUUID } from 'node:crypto'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const words = process.argv.slice(2)
/** Minutes, of which most are waiting. */
const isLong = (file: string): number => (file.startsWith('test/testbed/') ? 1 : 0)
const files = globSync('test/**/*.test.ts')
  .sort()
  .sort((a, b) => isLong(b) - isLong(a))
  .filter(file => words.length === 0 || words.some(word => file.includes(word.replace(/^\.\//, ''))))
if (files.length === 0) {
  console.error(`no test file matches ${words.join(' ')}`)
  process.exit(2)
}

const counts = { passed: 0, failed: 0 }
const failures: string[] = []
const skips: string[] = []
const token = randomUUID()
process.env.GOCORE_SINK_TEST_RUN = token
// Without it each of the thousands of processes strips the types of a hundred files anew.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../.tools/compile-cache')
const watchdog = setTimeout(() => {
  killMarked()
  setTimeout(() => process.exit(1), 10_000).unref()
}, 45 * 60_000)

/** Ends the processes that this run started and that kept its environment, orphans too. */
function killMarked(): void {
  const read = (pid: number, file: string): string[] =>
    readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0')
  for (const pid of readdirSync('/proc').map(Number)) {
    if (!(pid > 0) || pid === process.pid) continue
    try {
      if (!read(pid, 'environ').includes(`GOCORE_SINK_TEST_RUN=${token}`)) continue
      console.log(
        `still running, and killed: ${JSON.stringify(read(pid, 'cmdline').join(' ').slice(0, 300))}`,
      )
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile, or is another user's.
    }
  }
}

const events = run({
  files,
  // One more than there are processors, since those that crash programs through the kernel wait for each other.
  concurrency: availableParallelism() + 1,
  timeout: 10 * 60_000,
  execArgv: ['--disable-warning=ExperimentalWarning'],
})
events.on('test:fail', event => {
  if (event.details.type === 'suite') return
  counts.failed++
  failures.push(`${event.name} (${event.file ?? ''})`)
})
events.on('test:pass', event => {
  if (event.details.type === 'suite') return
  if (event.skip === undefined || event.skip === false) counts.passed++
  else
    skips.push(`${event.name}: ${event.skip === true || event.skip === '' ? 'no reason given' : event.skip}`)
})
const output = events.compose(new spec())
output.pipe(process.stdout)
output.on('end', () => {
  clearTimeout(watchdog)
  for (const skip of skips) console.log(`skipped: ${skip}`)
  for (const failure of failures) console.log(`failed: ${failure}`)
  const skipsAllowed = process.env.CI === undefined || process.env.CI === 'false'
  if (skips.length > 0 && !skipsAllowed) console.log('a test was skipped, which CI does not allow')
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${skips.length} skipped`)
  process.exitCode = counts.failed > 0 || counts.passed === 0 || (skips.length > 0 && !skipsAllowed) ? 1 : 0
})
