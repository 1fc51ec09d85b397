/** What crashed, in words: a program's name and build, and who ran it where. */
import type { Manifest } from '../../archive/manifest.ts'
import type { GoFacts, Report } from '../../engine/report/report.ts'

/** The main module's version, else the short revision it was built from: `v1.4.2`, `3ac9f1e+dirty`. */
export function buildOf(go: GoFacts | undefined): string | undefined {
  const version = go?.main?.version
  const revision = go?.vcs?.revision?.slice(0, 7)
  const dirty = go?.vcs?.modified ? '+dirty' : ''
  const named = version !== undefined && version !== '' && version !== '(devel)' ? version : undefined
  if (named !== undefined)
    return revision && !named.includes(revision) ? `${named} (${revision}${dirty})` : named
  return revision === undefined ? undefined : revision + dirty
}

/** `go1.26.8 linux/amd64, stripped (-s -w), PIE`. */
export function toolchainOf(report: Pick<Report, 'go' | 'program' | 'core'>): string {
  const { go, program, core } = report
  const strips = {
    none: '',
    symbols: 'no symbol table (-s)',
    dwarf: 'no DWARF (-w)',
    both: 'stripped (-s -w)',
  }
  const languages = { go: 'Go', c: 'not Go: C, C++ or Rust', unknown: 'language unknown' }
  const what = go
    ? `${go.version} ${go.os ?? 'linux'}/${go.arch ?? core.arch}`
    : `${languages[program.language]}, ${core.arch}`
  return [what, program.stripped ? strips[program.stripped] : '', program.pie ? 'PIE' : '']
    .filter(part => part !== '')
    .join(', ')
}

/** Base name of the program: of its executable, else as the kernel or the report names it. */
export function programName(manifest: Manifest | undefined, report: Report | undefined): string {
  const path = manifest?.process.exe ?? report?.program.path
  const base = path
    ?.replace(/ \(deleted\)$/, '')
    .split('/')
    .at(-1)
  return base || report?.program.name || manifest?.process.comm || 'unknown program'
}

/** Container or pod identity in a few words, where the dump has one. */
export function containerOf(manifest: Manifest): string | undefined {
  const { container } = manifest.process
  if (!container) return undefined
  const parts = [
    container.pod_uid ? `pod ${container.pod_uid}` : '',
    container.id
      ? `${container.runtime ? `${container.runtime} ` : ''}container ${container.id.slice(0, 12)}`
      : '',
    manifest.host.container_hostname ? `hostname ${manifest.host.container_hostname}` : '',
  ].filter(part => part !== '')
  return parts.length > 0 ? parts.join(', ') : undefined
}

/** A word of a command line as a shell would need it quoted. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
