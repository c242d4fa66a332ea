/** Another process has the folder open: the embedded store has one writer. */
export class StoreInUse extends Error {
  override readonly name = "StoreInUse";
  /** The process that has it. */
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`the store ${folder} is in use by process ${pid}`);
    this.pid = pid;
  }
}
