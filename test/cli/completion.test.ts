import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { verbs } from '../../src/cli/verbs.ts'
import { commandLine } from '../support/programs.ts'

/**
 * The scripts are sourced in the shells themselves. `gocore-sink` on their PATH is a stand-in that answers `ls` with
 * two ids, and repeats the archive that it was asked for.
 */
const folder = mkdtempSync(join(tmpdir(), 'gocore-completion-'))
after(() => rmSync(folder, { recursive: true }))
const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0
const script = (shell: string): string => join(folder, `gocore-sink.${shell}`)
const env = {
  PATH: `${folder}/bin:${process.env.PATH}`,
  HOME: folder,
  TERM: 'dumb',
  XDG_CONFIG_HOME: folder,
  XDG_CACHE_HOME: folder,
  XDG_DATA_HOME: folder,
}

before(() => {
  for (const shell of ['bash', 'zsh', 'fish'])
    writeFileSync(script(shell), execFileSync(process.execPath, [commandLine, 'completion', shell]))
  mkdirSync(join(folder, 'bin'))
  mkdirSync(join(folder, 'work/sub'), { recursive: true })
  writeFileSync(join(folder, 'work/core.zst'), '')
  writeFileSync(
    join(folder, 'bin/gocore-sink'),
    '#!/bin/sh\ncase "$*" in\n*"--archive other"*ls*) echo otherotherot ;;\n*ls*) echo 7f3k2mabcdef; echo 7zzzzzzzzzzz; echo x0c9qdabcdef ;;\nesac\n',
    { mode: 0o755 },
  )
})

/** What a shell offers for the last word of a line. */
type Complete = (line: string) => string[]

const bash: Complete = line => {
  const words = line.split(' ')
  const quoted = words.map(word => `'${word}'`).join(' ')
  const text = `source ${script('bash')}; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _gocore_sink; printf '%s\\n' "\${COMPREPLY[@]}"`
  return lines(
    execFileSync('bash', ['--norc', '-c', text], { env, cwd: join(folder, 'work'), encoding: 'utf8' }),
  )
}

const fish: Complete = line =>
  lines(
    execFileSync('fish', ['--no-config', '-c', `source ${script('fish')}; complete -C '${line}'`], {
      env,
      cwd: join(folder, 'work'),
      encoding: 'utf8',
    }),
  ).map(text => text.split('\t')[0]!)

/** zsh completes only in its line editor: one on a pseudo-terminal is typed into, and tells what is added to its list. */
const zsh: Complete = line => {
  const out = join(folder, 'zsh.out')
  writeFileSync(out, '')
  writeFileSync(
    join(folder, '.zshrc'),
    `PROMPT='ready> '
autoload -Uz compinit; compinit -u -D
source ${script('zsh')}
zstyle ':completion:*' menu no
compadd() {
  local -a found
  builtin compadd -O found "$@"
  print -rl -- $found >> ${out}
  builtin compadd "$@"
}
complete-and-tell() { zle complete-word; print ENDED >> ${out} }
zle -N complete-and-tell
bindkey '^I' complete-and-tell
`,
  )
  const driver = `
zmodload zsh/zpty zsh/zselect
zpty -b shell zsh -i
wait-for() {
  repeat 200 {
    while zpty -rt shell part; do seen+=$part; done
    eval "$1" && return
    zselect -t 5
  }
}
seen=''
wait-for '[[ $seen == *ready\\>* ]]'
zpty -wn shell $'${line}\\t'
wait-for 'grep -q ENDED ${out}'
zpty -d shell`
  const zshEnv = { ...env, TERM: 'vt100', ZDOTDIR: folder }
  execFileSync('zsh', ['-f', '-c', driver], { env: zshEnv, cwd: join(folder, 'work'), stdio: 'ignore' })
  const word = line.split(' ').at(-1)!
  return [...new Set(lines(readFileSync(out, 'utf8')))].filter(
    text => text !== 'ENDED' && text.startsWith(word),
  )
}

const lines = (text: string): string[] => text.split('\n').filter(line => line !== '')

const shells: [name: string, complete: Complete][] = [
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish],
]
for (const [name, complete] of shells)
  describe(`completion ${name}`, { skip: !has(name) && `${name} is not installed` }, () => {
    it('completes verbs', () => {
      assert.deepEqual(complete('gocore-sink goro').sort(), ['goroutine', 'goroutines'])
      const all = complete('gocore-sink ')
      for (const verb of verbs) assert.ok(all.includes(verb.command.split(' ')[0]!), verb.command)
    })
    it('completes options of a verb, and those of every verb', () => {
      const options = complete('gocore-sink ls --')
      for (const option of ['--since', '--watch', '--json', '--archive'])
        assert.ok(options.includes(option), option)
      assert.ok(!options.includes('--bundle'))
    })
    it('completes ids', () => {
      assert.deepEqual(complete('gocore-sink show 7').sort(), ['7f3k2mabcdef', '7zzzzzzzzzzz'])
    })
    it('asks the archive that the line names', () => {
      assert.deepEqual(complete('gocore-sink --archive other show oth'), ['otherotherot'])
    })
    it('completes files where a file is wanted', () => {
      assert.ok(complete('gocore-sink import core').some(text => text.trim() === 'core.zst'))
    })
    it('knows a verb by its other names', () => {
      assert.ok(complete('gocore-sink p --form').includes('--format'))
      assert.ok(complete('gocore-sink grs --symb').includes('--symbols'))
    })
    it('completes what a debugger’s verb may run', () => {
      assert.deepEqual(complete('gocore-sink goroutine 5 7f3k2mabcdef loc'), ['locals'])
      assert.deepEqual(complete('gocore-sink config max-string'), ['max-string-len'])
    })
    it('completes words that an argument may be', () => {
      assert.deepEqual(complete('gocore-sink completion ').sort(), ['bash', 'fish', 'zsh'])
    })
  })
