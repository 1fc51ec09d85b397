/** context.Context chains, as their String methods write them: `context.Background.WithValue(main.key, "x").WithCancel`. */
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { deref } from './field.ts'
import { errorText } from './glance-error.ts'
import { timeText } from './glance-time.ts'
import { dynamicOf } from './interface.ts'
import { member } from './member.ts'
import { readAddress, readInteger, readText } from './scalar.ts'
import { quote } from './text.ts'

const maxChain = 64

export function contextText(context: ValueContext, variable: Variable): string | undefined {
  const links: string[] = []
  let at: Variable | undefined = variable
  for (let i = 0; at && i < maxChain; i++) {
    const step = linkOf(context, at)
    links.unshift(step.text)
    at = step.parent
  }
  if (at) links.unshift('...')
  return links.join('.')
}

/** One context's own part, and the one it is made of. */
function linkOf(context: ValueContext, link: Variable): { text: string; parent?: Variable | undefined } {
  const parent = (name: string): Variable | undefined => contextIn(context, member(context, link, name))
  switch (link.type.name) {
    case 'context.backgroundCtx':
      return { text: 'context.Background' }
    case 'context.todoCtx':
      return { text: 'context.TODO' }
    case 'context.emptyCtx':
      // Until Go 1.20 both are ints, told apart by where they are.
      return { text: 'context.Background' }
    case 'context.cancelCtx': {
      const error = canceled(context, link)
      return { text: `WithCancel${error ? ` (${error})` : ''}`, parent: parent('Context') }
    }
    case 'context.timerCtx': {
      const deadline = member(context, link, 'deadline')
      const cancel = member(context, link, 'cancelCtx')
      const error = cancel && canceled(context, cancel)
      const time = deadline && timeText(context, deadline)?.glance.replace(/ m=.*/, '')
      const inner = cancel && contextIn(context, member(context, cancel, 'Context'))
      return { text: `WithDeadline(${time ?? '?'})${error ? ` (${error})` : ''}`, parent: inner }
    }
    case 'context.valueCtx': {
      const [key, value] = [member(context, link, 'key'), member(context, link, 'val')]
      return {
        text: `WithValue(${brief(context, key)}, ${brief(context, value)})`,
        parent: parent('Context'),
      }
    }
    case 'context.withoutCancelCtx':
      return { text: 'WithoutCancel', parent: parent('c') }
    case 'context.afterFuncCtx':
    case 'context.stopCtx': {
      const inner = member(context, link, 'cancelCtx.Context', 'Context')
      return {
        text: link.type.name === 'context.stopCtx' ? 'stop' : 'AfterFunc',
        parent: contextIn(context, inner),
      }
    }
    default:
      return { text: link.type.name }
  }
}

/** What an interface field holds, behind its pointer. */
function contextIn(context: ValueContext, field: Variable | undefined): Variable | undefined {
  const dynamic = field?.type.kind === 'interface' ? dynamicOf(context, field) : undefined
  if (dynamic?.type.kind !== 'pointer') return dynamic
  return readAddress(context, dynamic) === 0 ? undefined : deref(context, dynamic)
}

/** The text of its err: an error, since Go 1.25 an atomic.Value of one. */
function canceled(context: ValueContext, link: Variable): string | undefined {
  const err = member(context, link, 'err')
  const held = err?.type.kind === 'struct' ? member(context, err, 'v') : err
  const dynamic = held?.type.kind === 'interface' ? dynamicOf(context, held) : undefined
  return dynamic && (errorText(context, dynamic) ?? dynamic.type.name)
}

/** A key or value in a word: texts and numbers themselves, others by their type, as context.stringify does. */
function brief(context: ValueContext, field: Variable | undefined): string {
  const value = field?.type.kind === 'interface' ? dynamicOf(context, field) : undefined
  if (!value) return 'nil'
  if (value.type.kind === 'string') {
    const text = quote(readText(context, value, 64).bytes)
    return value.type.named && value.type.name !== 'string' ? `${value.type.name}(${text})` : text
  }
  if (value.type.kind === 'int' || value.type.kind === 'bool')
    return `${value.type.name === 'int' ? '' : `${value.type.name} `}${readInteger(context, value)}`
  return value.type.name
}
