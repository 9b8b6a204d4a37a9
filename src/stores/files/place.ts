/** The folder of one namespace, and trusted access to its files. */

import { dirname } from 'node:path';
import { damaged } from './faults.js';
import { Guard, type Owner } from './guard.js';
import { folderName } from './records.js';
import type { FileFacts, FileSystem } from './system.js';

const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** A file that was read and is still open. */
export interface OpenedFile {
  readonly fd: number;
  readonly facts: FileFacts;
  readonly text: string;
}

export class Place {
  readonly system: FileSystem;
  /** The path given to the store. */
  readonly root: string;
  readonly namespace: string;
  /** The folder of the namespace. */
  readonly path: string;
  readonly guard: Guard;

  constructor(system: FileSystem, root: string, namespace: string) {
    this.system = system;
    this.root = root;
    this.namespace = namespace;
    this.path = `${root}/${folderName(namespace)}`;
    this.guard = new Guard(system, root, dirname(root));
  }

  file(...names: readonly string[]): string {
    return [this.path, ...names].join('/');
  }

  /**
   * Opens and reads a file. Returns null if there is none.
   * @throws {StoreError} if another user than the owner can write it
   */
  async open(path: string, owner: Owner, maxBytes = MAX_FILE_BYTES): Promise<OpenedFile | null> {
    const fd = await this.system.open(path);
    if (fd === null) return null;
    try {
      const facts = await this.system.factsOfOpen(fd);
      this.guard.assertSafe(path, facts, owner, 'file');
      if (facts.bytes > maxBytes) throw damaged(path, 'is too long');
      return { fd, facts, text: await this.system.read(fd, facts.bytes) };
    } catch (error) {
      await this.system.close(fd);
      throw error;
    }
  }

  /** Returns the text of a file, or null if there is none. */
  async text(path: string, owner: Owner, maxBytes?: number): Promise<string | null> {
    const opened = await this.open(path, owner, maxBytes);
    if (opened === null) return null;
    await this.system.close(opened.fd);
    return opened.text;
  }
}
