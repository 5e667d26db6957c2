import { adminClusterName, xdsClusterName } from '../../envoy/own-clusters.ts';
import type { Sums } from '../../load/sums.ts';
import type { Rejection } from '../stream/types.ts';

/** Limits of one report; nothing of a report is kept but its sums. */
export interface ReportLimits {
  readonly clusters: number;
  /** Of all clusters together. */
  readonly localities: number;
  readonly clusterNameBytes: number;
  /** A report counts no more requests than this, whatever it says: more than an Envoy can answer in an interval. */
  readonly requests: number;
}

/** Room for a cluster for each of the 4,096 hosts that a shard-config.yaml may have. */
export const defaultReportLimits: ReportLimits = {
  clusters: 5_000,
  localities: 20_000,
  clusterNameBytes: 1_024,
  requests: 1_000_000_000,
};

/** Why a report can't be used: it ends the stream. */
export class ReportFault extends Error implements Rejection {
  readonly code: Rejection['code'];

  constructor(code: Rejection['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** What an Envoy talks to for our sake: not its customers' traffic. */
const ownClusters = [xdsClusterName, adminClusterName].map((name) => Buffer.from(name));

/**
 * Sums a LoadStatsRequest over all clusters but `xds` and `envoy_admin`. Skips what it doesn't need unread: each report of an Envoy has its
 * node with 50 KB of extensions. Throws ReportFault.
 */
export function decodeReport(bytes: Buffer, limits: ReportLimits): Sums {
  const cursor = new Cursor(bytes);
  const total = { ok: 0, errors: 0, localities: 0 };
  let clusters = 0;
  while (cursor.next()) {
    if (cursor.field !== CLUSTER_STATS) continue;
    if ((clusters += 1) > limits.clusters) throw excess(`more than ${limits.clusters} clusters`);
    addCluster(cursor.bytes(), limits, total);
  }
  const requests = Math.min(limits.requests, total.ok + total.errors);
  return { requests, errors: Math.min(requests, total.errors) };
}

// Field numbers of the messages: protos/envoy/service/load_stats/v3/lrs.proto, protos/envoy/config/endpoint/v3/load_report.proto
const CLUSTER_STATS = 2;
const CLUSTER_NAME = 1;
const UPSTREAM_LOCALITY_STATS = 2;
const TOTAL_SUCCESSFUL_REQUESTS = 2;
const TOTAL_ERROR_REQUESTS = 4;

interface Total {
  ok: number;
  errors: number;
  localities: number;
}

function addCluster(bytes: Buffer, limits: ReportLimits, total: Total): void {
  const cursor = new Cursor(bytes);
  const { ok, errors } = total;
  let isOwn = false;
  while (cursor.next()) {
    if (cursor.field === CLUSTER_NAME) isOwn = isOwnCluster(cursor.bytes(), limits);
    else if (cursor.field === UPSTREAM_LOCALITY_STATS) {
      if ((total.localities += 1) > limits.localities) throw excess(`more than ${limits.localities} localities`);
      addLocality(cursor.bytes(), total);
    }
  }
  if (isOwn) Object.assign(total, { ok, errors });
}

function isOwnCluster(name: Buffer, { clusterNameBytes }: ReportLimits): boolean {
  if (name.length > clusterNameBytes) throw excess(`a cluster's name is longer than ${clusterNameBytes} bytes`);
  return ownClusters.some((own) => own.equals(name));
}

function addLocality(bytes: Buffer, total: Total): void {
  const cursor = new Cursor(bytes);
  while (cursor.next()) {
    if (cursor.field === TOTAL_SUCCESSFUL_REQUESTS) total.ok += cursor.number();
    else if (cursor.field === TOTAL_ERROR_REQUESTS) total.errors += cursor.number();
  }
}

/** Reads the fields of a protobuf message in turn (https://protobuf.dev/programming-guides/encoding). */
class Cursor {
  /** The number of the current field. */
  field = 0;
  readonly #bytes: Buffer;
  #at = 0;
  #wireType = 0;
  #value = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Goes to the next field; false at the end. */
  next(): boolean {
    if (this.#at === this.#bytes.length) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.#wireType = tag % 8;
    switch (this.#wireType) {
      case VARINT:
        this.#value = this.#varint();
        return true;
      case LENGTH_DELIMITED:
        return this.#skip((this.#value = this.#varint()));
      case FIXED64:
        return this.#skip(8);
      case FIXED32:
        return this.#skip(4);
      default:
        throw unreadable();
    }
  }

  /** The value of a number. */
  number(): number {
    if (this.#wireType !== VARINT) throw unreadable();
    return this.#value;
  }

  /** The value of a text or a message. */
  bytes(): Buffer {
    if (this.#wireType !== LENGTH_DELIMITED) throw unreadable();
    return this.#bytes.subarray(this.#at - this.#value, this.#at);
  }

  #skip(length: number): true {
    if (length > this.#bytes.length - this.#at) throw unreadable();
    this.#at += length;
    return true;
  }

  /** Numbers above 2^53 lose their last digits. */
  #varint(): number {
    let value = 0;
    for (let shift = 1, end = this.#at + 10; this.#at < end; shift *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
    throw unreadable();
  }
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

function excess(message: string): ReportFault {
  return new ReportFault('RESOURCE_EXHAUSTED', message);
}

/** Its bytes are something else. */
export function unreadable(): ReportFault {
  return new ReportFault('INVALID_ARGUMENT', 'the report is not a LoadStatsRequest');
}
