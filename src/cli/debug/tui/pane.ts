/** What the screen shows side by side: lines that are made when they are seen, for there may be 100,000 goroutines. */
import type { GoroutineView } from '../../../engine/index.ts'
import { registerLines } from '../../inspect/registers.ts'
import { variableLines } from '../commands/variables.ts'
import { clean, type DebugState } from '../state.ts'

export const paneNames = ['source', 'variables', 'stack', 'goroutines', 'registers'] as const
export type PaneName = (typeof paneNames)[number]

export interface Pane {
  readonly name: PaneName
  readonly title: string
  readonly length: number
  /** Printable and without colour; tabs stand for blanks. */
  line(index: number): string
  /** The line that the others depend on, always in sight. */
  readonly current?: number
}

/** More of a file than any screen shows, so that one may scroll. */
const sourceAround = 200

/** All panes as the state is now. `views` are the goroutines, listed once. */
export async function panesOf(
  state: DebugState,
  views: readonly GoroutineView[],
): Promise<Readonly<Record<PaneName, Pane>>> {
  return {
    source: sourcePane(state),
    variables: listPane('variables', 'Variables', variableList(state)),
    stack: stackPane(state),
    goroutines: goroutinePane(state, views),
    registers: listPane('registers', 'Registers', await registerList(state)),
  }
}

function listPane(name: PaneName, title: string, lines: readonly string[]): Pane {
  return { name, title, length: lines.length, line: index => lines[index] ?? '' }
}

function sourcePane(state: DebugState): Pane {
  const { frame } = state.position
  if (!frame) return listPane('source', 'Source', ['(no stack)'])
  const where = frame.file === '' ? (frame.module ?? '?') : `${frame.file}:${frame.line}`
  const title = `Source  ${clean(where)}`
  const lines = state.sources.lines(frame, { before: sourceAround, after: sourceAround })
  if (!lines) return listPane('source', title, ['(not on this machine, or of another version)'])
  return {
    ...listPane(
      'source',
      title,
      lines.map(
        ({ number, text, here }) => `${here ? '=>' : '  '}${String(number).padStart(5)}  ${clean(text)}`,
      ),
    ),
    current: Math.max(
      0,
      lines.findIndex(({ here }) => here),
    ),
  }
}

function variableList(state: DebugState): string[] {
  const { frame } = state.position
  if (!frame) return []
  const variables = state.debugger.variables(frame)
  if (!variables.known) {
    const words = state.debugger.argumentWords(frame)
    return ['(no debug information)', ...(words ? [`(${clean(words)})`] : [])]
  }
  return variables.all().flatMap(variable => variableLines(state, variable, true))
}

function stackPane({ position }: DebugState): Pane {
  const { stack, frame } = position
  const frames = stack?.frames ?? []
  const { subject } = position
  const who = subject?.kind === 'thread' ? `thread ${subject.tid}` : `goroutine ${subject?.id ?? '?'}`
  return {
    name: 'stack',
    title: `Stack  ${who}`,
    length: frames.length,
    line: index => {
      const { function: name, file, line } = frames[index]!
      return `${String(index).padStart(3)} ${clean(name)}  ${clean(file.slice(file.lastIndexOf('/') + 1))}:${line}`
    },
    ...(frame ? { current: frame.index } : {}),
  }
}

function goroutinePane({ position }: DebugState, views: readonly GoroutineView[]): Pane {
  const { subject } = position
  const current = subject?.kind === 'goroutine' ? views.findIndex(({ id }) => id === subject.id) : -1
  return {
    name: 'goroutines',
    title: `Goroutines  ${views.length}`,
    length: views.length,
    line: index => {
      const view = views[index]!
      return `${String(view.id).padStart(5)} [${clean(view.state)}] ${clean(view.user?.function ?? '?')}`
    },
    ...(current >= 0 ? { current } : {}),
  }
}

async function registerList(state: DebugState): Promise<string[]> {
  const context = await state.inspect()
  if (!context.frame) return []
  const look = { ...context.look, color: false }
  return [...registerLines({ ...context, look }, { all: false, style: 'dlv' })]
}
