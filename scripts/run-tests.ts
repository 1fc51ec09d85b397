/**
 * Runs the tests: `node scripts/run-tests.ts [FILE or word …]`. A word selects the test files whose path holds it.
 * Skipped tests are listed by name with their reason; in CI (CI=true) a skipped test fails the run. What still runs after
 * three quarters of an hour is killed, with all that it started: node's runner waits for ever for a pipe that an orphan holds.
 */
import { randomUUID } from 'node:crypto'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const words = process.argv.slice(2)
const files = globSync('test/**/*.test.ts')
  .sort()
  .filter(file => words.length === 0 || words.some(word => file.includes(word.replace(/^\.\//, ''))))
if (files.length === 0) {
  console.error(`no test file matches ${words.join(' ')}`)
  process.exit(2)
}

const counts = { passed: 0, failed: 0 }
const failures: string[] = []
const skips: string[] = []
const mark = `GOCORE_SINK_TEST_RUN=${randomUUID()}`
Object.assign(process.env, Object.fromEntries([mark.split('=')]))
const watchdog = setTimeout(() => {
  for (const pid of marked()) {
    console.log(`still running, and killed: ${commandOf(pid)}`)
    process.kill(pid, 'SIGKILL')
  }
  setTimeout(() => process.exit(1), 10_000).unref()
}, 45 * 60_000)

const commandOf = (pid: number): string =>
  JSON.stringify(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 300))

/** The processes that this run started and that kept its environment, orphans too. */
function marked(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => {
      if (!(pid > 0) || pid === process.pid) return false
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark)
      } catch {
        // It has ended, or is another user's.
        return false
      }
    })
}

const events = run({
  files,
  concurrency: Math.max(2, availableParallelism()),
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
