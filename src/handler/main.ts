/**
 * The program that the kernel starts for each crash, `gocore-sink-handler(8)`:
 *
 *     node handler.js [--config FILE] -- %P %u %g %s %t %c %e …      with the core on standard input
 *
 * The crashed process is held until standard input is closed, so everything before that is the least there can be.
 */
import { readFileSync } from 'node:fs'
import { rawArguments } from './argv.ts'
import { runCompressThread, threadArgument } from './compress-thread.ts'
import { handleCrash } from './handle-crash.ts'
import { lastWords } from './last-words.ts'
import { parseOptions } from './options.ts'
import { placeArgument, runPlaceThread } from './place-channel.ts'
import { takeStandardInput } from './standard-input.ts'

const [, script, ...args] = process.argv

if (args[0] === threadArgument) runCompressThread()
else if (args[0] === placeArgument) runPlaceThread()
else {
  process.on('uncaughtException', lastWords)
  const options = parseOptions(args)
  const fields = rawArguments(readFileSync('/proc/self/cmdline'), options.fields)
  // Before there is any thread, of which the first are started for files elsewhere.
  const input = takeStandardInput()
  void handleCrash({ ...options, fields, input: () => input, began: 0 }, script!)
    .catch(lastWords)
    .then(code => {
      process.exitCode = code
    })
}
