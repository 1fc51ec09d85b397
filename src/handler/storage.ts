/**
 * Where a dump goes: the archive, and from the moment that it fails or does not answer the spool on this machine's own
 * disk, from which the daemon brings it home. What the archive has acknowledged stays there (`Continuation` in
 * `src/archive/manifest.ts`); whatever is not acknowledged is still here and is written once more.
 */
import { join } from 'node:path'
import type { Crash } from '../archive/access.ts'
import { dayOf, layoutOf, newId, partFile } from '../archive/layout.ts'
import type { Continuation, Manifest } from '../archive/manifest.ts'
import type { DumpRef } from '../archive/store.ts'
import { reasonOf } from '../base/errors.ts'
import { type Config, spoolRoot } from '../config/index.ts'
import type { ByteSink } from '../lz4/index.ts'
import { localOf, type MappedFiles, notCopied } from './mapped-files.ts'
import type { StoredFiles } from './place.ts'
import { type Command, type Failure, PlaceChannel, StorageStalled } from './place-channel.ts'
import { StagedPieces, slotSize } from './staged-pieces.ts'

export interface StorageOptions {
  config: Config
  time: Date
  crash: Crash
  /** The program to start as a thread. */
  script: string
  /** What is known beforehand. */
  pending: (ref: DumpRef, continues: Continuation | undefined) => Manifest
  /** Called while this thread waits. */
  idle?: () => void
  /** Called when something is written, and while this thread waits, which it does within bounds. */
  beat?: () => void
}

/** Neither archive nor spool takes anything. */
export class NoStorage extends Error {}

/**
 * Deadlines that a place has: one while the process is held, more where there is no other place, and more still after the
 * release, when nobody waits and storage that is merely slow has its time.
 */
const patience = { held: 1, last: 5, released: 15 }

/** Bytes that a place has to have free: for the beginning of a core; where none has that, for what is known without one. */
const leastFree = { ofCore: 512 * 1024, ofFacts: 64 * 1024 }

/** The place that the dump goes to, and how far that has come. */
interface Current {
  readonly root: string
  readonly place: PlaceChannel
  /** Bytes of the file that lie in the archive, before those of this place. */
  base: number
  hasBegun: boolean
  /** The command behind the pieces that has no answer yet. */
  asked?: Command['do'] | undefined
}

export class DumpStorage implements ByteSink {
  readonly ref: DumpRef
  /** Why it is not the archive, or not the archive alone; one sentence each, and the place that it is of. */
  readonly failures: { readonly root: string; readonly what: string }[] = []
  readonly #options: StorageOptions
  readonly #roots: string[]
  readonly #pieces = new StagedPieces()
  #at: Current
  #room = 0
  /** Bytes of the whole file that are acknowledged, and those of the first piece. */
  #acknowledged = 0
  #first = 0
  #continues: Continuation | undefined
  /** Threads that hang. */
  #stalls = 0
  /** Places are asked for the second time, for the facts at least. */
  #again = false
  /** No place takes anything, and none is asked any more. */
  #none: NoStorage | undefined
  #coreIsLast = false
  #idle: (() => void) | undefined

  constructor(options: StorageOptions) {
    const { config, time } = options
    this.#options = options
    this.#idle = options.idle
    this.ref = { id: newId(), day: dayOf(time) }
    this.#roots = [config.archive, spoolRoot(config)]
    this.#at = this.#open(this.#roots.shift()!, 0)
  }

  /** How the core continues what lies in the archive; undefined where this is the archive, or the whole is here. */
  get continues(): Continuation | undefined {
    return this.#continues
  }

  /** The dump, or the rest of it, is in the spool. */
  get isInSpool(): boolean {
    return this.#at.root !== this.#options.config.archive
  }

  /** Some thread hangs, so that this process can't end by itself. */
  get hasStalled(): boolean {
    return this.#stalls > 0
  }

  /** Bytes that there is room for, in this place, or in the next if this one has less than `wanted`. Waits for it to begin. */
  room(wanted: number): number {
    this.#retry(() => this.#drain())
    return this.#room >= wanted
      ? this.#room
      : Math.max(this.#room, ...[...this.#roots].map(root => this.#roomAt(root)))
  }

  /** The process has been let go. */
  release(): void {
    this.#idle = undefined
  }

  /** Appends to the core. Throws NoStorage, or the last place's error, where no place takes it. */
  write(bytes: Uint8Array): void {
    // Blocks fit into a slot; the index of a large core and the copy of its head need not.
    for (let at = 0; at < bytes.length; at += slotSize) this.#stage(bytes.subarray(at, at + slotSize))
  }

  #stage(bytes: Uint8Array): void {
    this.#options.beat?.()
    if (!this.#pieces.hasRoomFor(bytes.length)) {
      this.#give()
      this.#waitForSlot()
      this.#pieces.begin()
    }
    if (this.#pieces.add(bytes)) this.#give()
  }

  /** Waits until a place has taken all that was written. Throws as `write` does. */
  flush(): void {
    this.#give()
    this.#retry(() => this.#drain())
  }

  /**
   * Gives up what no place has acknowledged, and as many of the last blocks as it takes to have `room` bytes for an end; ends
   * the core there, and answers whether it could, which takes all of it to be here. `rewind` gives up the blocks that end
   * behind an offset of the file, and answers the length that is left.
   */
  salvage(room: number, rewind: (offset: number) => number): boolean {
    const free = this.keepAcknowledged(rewind)
    // Some file systems tell of more than they give.
    for (const wanted of [room - free, room]) {
      // The first blocks have the notes.
      if (wanted > 0) this.#cut(rewind(Math.max(this.#at.base, this.#first, this.#acknowledged - wanted)))
      if (this.#at.base > 0) return false
      const end = this.#call({ do: 'endCut', with: [room / 2] }) as { size: number; isEnded: boolean }
      if (end.isEnded) {
        this.#acknowledged = end.size
        return true
      }
      this.#cut(rewind(end.size))
    }
    return false
  }

  /** The first half of `salvage`; answers the bytes that this place has left. */
  keepAcknowledged(rewind: (offset: number) => number): number {
    this.#giveUp()
    return this.#cut(rewind(this.#acknowledged))
  }

  /** Cuts the file to its first `size` bytes; answers the bytes that are left behind them. */
  #cut(size: number): number {
    // Where not even the header was taken there is nothing to keep; what lies in the archive stays.
    this.#acknowledged = Math.max(this.#at.base, Math.min(size, this.#acknowledged))
    return this.#call({ do: 'truncate', with: [this.#acknowledged - this.#at.base] }) as number
  }

  /** Makes the core last; answers the size of its file, what lies in the archive included. */
  finishCore(): number {
    this.#give()
    this.#retry(() => {
      this.#drain()
      try {
        this.#call({ do: 'finishCore', with: [] })
      } catch (error) {
        if (error instanceof StorageStalled || this.#roots.length === 0) throw error
        this.#adopt(error)
      }
    })
    this.#coreIsLast = true
    return this.#acknowledged
  }

  /** Leaves the core as it is where no place could make it last; answers the size that `finishCore` would have. */
  keepCore(): number {
    this.#retry(() => this.#call({ do: 'keepCore', with: [] }))
    return this.#acknowledged
  }

  /** Gives up the core and its room. */
  dropCore(): void {
    this.#giveUp()
    this.#retry(() => this.#call({ do: 'dropCore', with: [] }))
    this.#coreIsLast = true
  }

  /**
   * Where a place stalls over them, it may be the files that do not answer: the next one gets those of this machine. `refused`:
   * why nothing is stored that is not there yet.
   */
  storeFiles(files: MappedFiles, refused?: string): StoredFiles {
    const stalls = this.#stalls
    const wanted = (): MappedFiles => (this.#stalls === stalls ? files : localOf(files))
    const stored = this.#retry(() =>
      this.#call({ do: 'storeFiles', with: [wanted(), refused] }),
    ) as StoredFiles
    return this.#stalls === stalls ? stored : { ...stored, notes: [...stored.notes, ...notCopied(files)] }
  }

  /** Writes the manifest, which `make` makes for the place that takes it: from here on the dump exists. */
  finish(make: () => Manifest): void {
    this.#retry(() => this.#call({ do: 'finish', with: [make()] }))
  }

  close(): void {
    this.#at.place.stop()
  }

  #open(root: string, base: number): Current {
    const { config, crash, script, pending } = this.#options
    const place = new PlaceChannel(script, this.#pieces.memory)
    const userAccess = config.userAccess && root === config.archive
    const own = root === config.archive ? { state: config.state } : { spoolMax: config.spoolMax }
    const least = this.#again ? leastFree.ofFacts : leastFree.ofCore
    const order = { root, group: config.group, userAccess, ref: this.ref, crash, least, ...own }
    place.give({ do: 'begin', with: [order, pending(this.ref, this.#continues)] })
    return { root, place, base, hasBegun: false }
  }

  /** Asked in a thread of its own, which storage that hangs may keep. */
  #roomAt(root: string): number {
    const { config, script, beat } = this.#options
    const channel = new PlaceChannel(script, this.#pieces.memory)
    try {
      channel.give({ do: 'room', with: [root, config.spoolMax] })
      const answer = channel.next(config.storageDeadline * 1000, this.#idle, beat)
      return 'failure' in answer ? 0 : Number(answer.value)
    } catch {
      this.#stalls++
      // A thread hangs in it.
      this.#roots.splice(this.#roots.indexOf(root), 1)
      return 0
    } finally {
      channel.stop()
    }
  }

  #waitForSlot(): void {
    this.#retry(() => {
      const { place } = this.#at
      while (place.waiting > 0 && (!this.#pieces.hasFree || !this.#at.hasBegun)) {
        if (!this.#pieces.hasFree) this.#take(this.#next())
        else {
          // The place has not begun: nobody needs to wait for that yet.
          const answer = place.poll()
          if (answer === undefined) return
          this.#take(answer)
        }
      }
    })
  }

  #give(): void {
    const put = this.#pieces.give()
    if (put !== undefined) this.#at.place.give(put)
  }

  /** Forgets the bytes that no place has acknowledged, and the answers to them. */
  #giveUp(): void {
    this.#pieces.forget()
    this.#retry(() => {
      while (this.#at.place.waiting > 0) {
        const answer = this.#next()
        if (!this.#at.hasBegun) this.#take(answer)
      }
      this.#at.asked = undefined
    })
  }

  #next(): { value: unknown } | { failure: Failure } {
    const deadline = this.#options.config.storageDeadline * 1000
    const times =
      this.#idle === undefined ? patience.released : this.#roots.length > 0 ? patience.held : patience.last
    return this.#at.place.next(deadline * times, this.#idle, this.#options.beat)
  }

  /** Takes an answer to `begin` or to a piece, in the order in which they were given. */
  #take(answer: { value: unknown } | { failure: Failure }): void {
    if ('failure' in answer) throw errorOf(answer.failure)
    if (!this.#at.hasBegun) {
      this.#at.hasBegun = true
      this.#room = Number(answer.value)
      return
    }
    const length = this.#pieces.acknowledge()
    this.#acknowledged += length
    this.#first ||= length
  }

  /** Waits for all that was given. */
  #drain(): void {
    while (this.#at.place.waiting > (this.#at.asked === undefined ? 0 : 1)) this.#take(this.#next())
  }

  #call(command: Command): unknown {
    this.#drain()
    // It may be asked of a place a second time that has not answered the first.
    if (this.#at.asked !== command.do) this.#at.place.give(command)
    this.#at.asked = command.do
    const answer = this.#next()
    this.#at.asked = undefined
    if ('failure' in answer) throw errorOf(answer.failure)
    return answer.value
  }

  /** Does `action`, in the next place where this one fails or does not answer. */
  #retry<T>(action: () => T): T {
    for (;;) {
      if (this.#none !== undefined) throw this.#none
      try {
        return action()
      } catch (error) {
        this.#moveOn(error)
      }
    }
  }

  /** Goes on in the next place; throws where there is none, and what is left to do is left to this one. */
  #moveOn(error: unknown): void {
    const stalled = this.#fail(this.#at.root, error)
    if (this.#roots.length === 0) throw stalled ? new NoStorage(reasonOf(error)) : error
    const before = this.#at
    if (stalled || before.hasBegun) this.#continues = { archive: before.root, at: this.#acknowledged }
    if (this.#beginNext(before, stalled)) return
    if (!stalled && !before.hasBegun) {
      this.#none = new NoStorage(reasonOf(error))
      throw this.#none
    }
    this.#at = before
    this.#continues = undefined
    // An archive that is merely slow is given more time; one that fails can at least end what it has.
    if (!stalled) throw error
  }

  /** Begins in the first of the places left that takes it; answers whether one does. `hangs`: the place before does. */
  #beginNext(before: Current, hangs: boolean): boolean {
    const { config } = this.#options
    const [archive, spool] = [config.archive, spoolRoot(config)]
    for (let root = this.#roots.shift(); root !== undefined; root = this.#roots.shift()) {
      try {
        this.#at = this.#open(root, this.#acknowledged)
        // What the last place has not acknowledged; its thread may still read it, and that is all it does.
        for (const put of this.#pieces.given()) this.#at.place.give(put)
        this.#take(this.#next())
        if (this.#coreIsLast) this.#call({ do: 'dropCore', with: [] })
        return true
      } catch (error) {
        const stalled = this.#fail(root, error)
        this.#at.place.stop()
        // It may yet get so far as to leave a beginning there.
        if (stalled && root === archive) this.#continues = { archive, at: this.#acknowledged }
        if (this.#again) continue
        this.#again = true
        // An error that may not come twice, or room for nothing but the facts. One that hangs is in the middle of it still.
        if (!hangs && !before.hasBegun) this.#roots.push(archive)
        if (!stalled && (hangs || !before.hasBegun)) this.#roots.push(spool)
      }
    }
    return false
  }

  /** Notes it, once; answers whether the place hangs. */
  #fail(root: string, error: unknown): boolean {
    const stalled = error instanceof StorageStalled
    if (stalled) this.#stalls++
    const what = `Could not write to ${root}: ${reasonOf(error)}`
    if (!this.failures.some(failure => failure.what === what)) this.failures.push({ root, what })
    return stalled
  }

  /** The archive took every byte and could not keep them: what it gives back goes to the spool. */
  #adopt(error: unknown): void {
    const { archive } = this.#options.config
    const size = this.#acknowledged
    this.#moveOn(error)
    const path = join(layoutOf(archive).dump(this.ref), partFile)
    try {
      this.#call({ do: 'adopt', with: [path, size] })
      this.#at.base = 0
      this.#continues = { archive, at: 0 }
    } catch (second) {
      // Block by block the daemon will see what the archive has kept.
      const what = `Could not read back what ${archive} took: ${reasonOf(second)}`
      this.failures.push({ root: archive, what })
      this.#call({ do: 'truncate', with: [0] })
    }
    this.#call({ do: 'finishCore', with: [] })
  }
}

const errorOf = ({ message, errno, code }: Failure): Error =>
  Object.assign(new Error(message), errno === undefined ? {} : { errno }, code === undefined ? {} : { code })
