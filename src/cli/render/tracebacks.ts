/**
 * Tracebacks of a hundred thousand goroutines, as render/traceback.ts makes them of one: the same text, from the frames
 * as the engine has them. Few places of a program are on all those stacks, and what is said of a place is made once.
 */
import type { GoroutineView } from '../../engine/index.ts'
import { printable } from './escape.ts'

type Frame = GoroutineView['frames'][number]
type Creator = NonNullable<GoroutineView['creator']>

/** What stands before the arguments of a frame, and behind them. */
interface Site {
  readonly head: string
  readonly tail: string
}

const maxSites = 1 << 16

export class TracebackTexts {
  readonly #system: boolean
  readonly #sites = new Map<object, Site>()
  readonly #creators = new Map<number, Site>()

  /** `system`: with the frames that the runtime shows only from GOTRACEBACK=system on. */
  constructor({ system }: { readonly system: boolean }) {
    this.#system = system
  }

  /** The lines of one goroutine, without a line break at the end. */
  of(view: GoroutineView): string {
    const { frames, omitted } = view.traceback
    let text = printable(`goroutine ${view.id} [${view.state}]:`)
    const split = omitted?.after ?? -1
    for (let i = 0; i < frames.length; i++) {
      if (i === split) text += elided(omitted!.count)
      const frame = frames[i]!
      if (frame.hidden && !this.#system) continue
      const site = this.#siteOf(frame)
      // Numbers and brackets: nothing in them needs to be made printable.
      text += site.head + frame.args + site.tail
    }
    if (split === frames.length) text += elided(omitted!.count)
    const { creator } = view
    return creator ? text + this.#creatorText(creator) : text
  }

  #siteOf(frame: Frame): Site {
    const known = this.#sites.get(frame.site)
    if (known) return known
    const { function: name, file, line, offset } = frame
    const place = line === 0 ? file || '?' : `${file || '?'}:${line}`
    const site = {
      head: `\n${printable(name)}(`,
      tail: `)\n\t${printable(place)}${offset === undefined ? '' : ` +0x${offset.toString(16)}`}`,
    }
    if (this.#sites.size >= maxSites) this.#sites.clear()
    this.#sites.set(frame.site, site)
    return site
  }

  #creatorText({ pc, function: name, file, line, offset, goroutine }: Creator): string {
    let known = this.#creators.get(pc)
    if (!known) {
      known = {
        head: `\n${printable(`created by ${name}`)}`,
        tail: `\n\t${printable(`${file}:${line}`)}${offset === 0 ? '' : ` +0x${offset.toString(16)}`}`,
      }
      if (this.#creators.size >= maxSites) this.#creators.clear()
      this.#creators.set(pc, known)
    }
    return known.head + (goroutine === 0 ? '' : ` in goroutine ${goroutine}`) + known.tail
  }
}

const elided = (count: number): string => `\n...${count} frames elided...`
