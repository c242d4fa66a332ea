import { Heap } from "./heap.ts";

// Start-time fair queueing: P. Goyal, H. M. Vin, H. Cheng, "Start-time Fair Queueing" (SIGCOMM 1996), with their hierarchy (section 4):
// users share by their weights, the runs of a user share equally, the attempts of a run go by their priority.
//
// Every flow has a start tag. The flow with the least one is served, the virtual time becomes that tag where it is later, and the flow's
// next tag is later by cost / weight; an attempt costs 1. A flow that comes back begins where it left off, or at the virtual time less the
// credit of BURST attempts, if that is later: so a small run, or one that had to wait for its own steps, goes first, as a thread that slept
// does in Linux' CFS. For any two flows that both have something waiting, what they got, each divided by its weight, differs at most by
// 1/w1 + 1/w2 (theorem 1 of the paper, for attempts of cost 1), and by a credit. So that flows with credit
// that keep coming starve nobody, one of PATIENCE + 1 services goes to who has waited longest.

/** Attempts that a flow may be ahead of its share after it was away. */
export const BURST = 8;
/** Services in a row that may go to flows which use their credit. */
const PATIENCE = 7;

/** Whom an attempt belongs to, and how it stands among its like. */
export interface Place {
  user: string;
  runId: string;
  /** Runs of a user with a higher priority go strictly first; other users do not feel it. */
  runPriority: number;
  /** Within the run: higher first, the first come first among equals. */
  priority: number;
}

interface Flow<C> {
  key: string;
  weight: number;
  rank: number;
  start: number;
  child: C;
}

/** How much a user gets beside another; 1 where nobody said. */
export type WeightOf = (user: string) => number;

/** Flows that share something: the next is the one of highest rank, among them that with the least start tag. */
class Share<C extends { readonly size: number }> {
  #flows = new Map<string, Flow<C>>();
  #active = new Heap<Flow<C>>((a, b) => (a.rank === b.rank ? a.start < b.start : a.rank > b.rank));
  /** The active ones, who has waited longest first. */
  #waiting = new Set<Flow<C>>();
  #time = 0;
  /** Services in a row to flows that used their credit. */
  #favours = 0;

  next(): Flow<C> | undefined {
    const least = this.#active.peek();
    if (!least || least.start >= this.#time || this.#favours < PATIENCE) return least;
    for (const flow of this.#waiting) if (flow.rank === least.rank) return flow;
    return least;
  }

  /** Flows that have something, who has waited longest first. */
  waiting(): Iterable<Flow<C>> {
    return this.#waiting;
  }

  /** The flow's child, which is about to get something. */
  reach(key: string, made: { weight: number; rank: number; child: () => C }): C {
    let flow = this.#flows.get(key);
    if (!flow) {
      this.#forgetIdle();
      flow = { key, weight: made.weight, rank: made.rank, start: Number.NEGATIVE_INFINITY, child: made.child() };
      this.#flows.set(key, flow);
    }
    if (flow.child.size === 0) {
      flow.start = Math.max(flow.start, this.#time - BURST / flow.weight);
      this.#active.push(flow);
      this.#waiting.add(flow);
    }
    return flow.child;
  }

  /** The flow was served: something was taken from its child. */
  served(flow: Flow<C>): void {
    this.#drop(flow);
    this.#favours = flow.start < this.#time ? this.#favours + 1 : 0;
    this.#time = Math.max(this.#time, flow.start);
    flow.start += 1 / flow.weight;
    if (flow.child.size === 0) return;
    this.#active.push(flow);
    this.#waiting.add(flow);
  }

  /** Something was taken out of a flow without being served. */
  left(key: string): void {
    const flow = this.#flows.get(key);
    if (flow?.child.size === 0) this.#drop(flow);
  }

  child(key: string): C | undefined {
    return this.#flows.get(key)?.child;
  }

  #drop(flow: Flow<C>): void {
    this.#active.remove(flow);
    this.#waiting.delete(flow);
  }

  /** Idle flows matter only while their tag is later than what a new one gets. */
  #forgetIdle(): void {
    if (this.#flows.size < 2 * this.#active.size + 64) return;
    for (const [key, { child, start, weight }] of this.#flows) {
      if (child.size === 0 && start <= this.#time - BURST / weight) this.#flows.delete(key);
    }
  }
}

interface Item<T> {
  value: T;
  priority: number;
}

class UserLine<T> {
  readonly runs = new Share<Heap<Item<T>>>();
  size = 0;
}

/** What waits for one resource, in the order in which it is fair to serve it. Operations cost O(log n), but for `remove`. */
export class FairQueue<T extends object> {
  #users = new Share<UserLine<T>>();
  #places = new Map<T, { place: Place; item: Item<T> }>();
  #weightOf: WeightOf;

  constructor(weightOf: WeightOf = () => 1) {
    this.#weightOf = weightOf;
  }

  get size(): number {
    return this.#places.size;
  }

  push(value: T, place: Place): void {
    const item = { value, priority: place.priority };
    const child = () => new UserLine<T>();
    const line = this.#users.reach(place.user, { weight: this.#weightOf(place.user), rank: 0, child });
    const heap = () => new Heap<Item<T>>((a, b) => a.priority > b.priority);
    line.runs.reach(place.runId, { weight: 1, rank: place.runPriority, child: heap }).push(item);
    line.size++;
    this.#places.set(value, { place, item });
  }

  /** What {@link take} would answer. */
  peek(): T | undefined {
    return this.#users.next()?.child.runs.next()?.child.peek()?.value;
  }

  take(): T | undefined {
    const user = this.#users.next();
    const run = user?.child.runs.next();
    return user && run && this.#serve(user, run);
  }

  /** Takes something of another run than that one: of whoever has waited longest. */
  takeOther(runId: string): T | undefined {
    for (const user of this.#users.waiting()) {
      for (const run of user.child.runs.waiting()) if (run.key !== runId) return this.#serve(user, run);
    }
    return undefined;
  }

  #serve(user: Flow<UserLine<T>>, run: Flow<Heap<Item<T>>>): T | undefined {
    const item = run.child.take();
    if (!item) return undefined;
    user.child.size--;
    user.child.runs.served(run);
    this.#users.served(user);
    this.#places.delete(item.value);
    return item.value;
  }

  /** Takes something out that is not to be served any more; its flow is not charged. O(attempts of its run that wait). */
  remove(value: T): boolean {
    const found = this.#places.get(value);
    if (!found) return false;
    const { place, item } = found;
    this.#places.delete(value);
    const line = this.#users.child(place.user);
    line?.runs.child(place.runId)?.remove(item);
    line?.runs.left(place.runId);
    if (line) line.size--;
    this.#users.left(place.user);
    return true;
  }
}
