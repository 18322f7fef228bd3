// The register from TypeScript. The types of addresses, parameters, bodies and answers are in
// schema.d.ts, which `npm run types` makes from the register's own OpenAPI document.

import createClient, { type Client } from "openapi-fetch";

import type { components, paths } from "./schema.js";

export type Entry = components["schemas"]["InnovationCreate"];
export type Innovation = components["schemas"]["InnovationPublic"];
export type Change = components["schemas"]["FollowedChange"];
export type Status = components["schemas"]["Status"];
export type Problem = components["schemas"]["Problem"];

// What is asked for here: JSON, and no stream or file, which some addresses give, too.
type Media = "application/json" | "application/problem+json";

const PATIENCE = 6; // How often a request is tried before we give up.

// How the change log is asked.
const CHANGES = { limit: 100 };

/** What the register answers when it cannot do what it was asked for. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    const faults = problem.errors.map((fault) => `${fault.pointer}: ${fault.detail}`);
    super([`${problem.title}: ${problem.detail}`, ...faults].join("\n  "));
  }
}

/** A fetch that waits and tries again. Only for what may be carried out twice. */
async function patiently(request: Request): Promise<Response> {
  for (let tried = 1; tried < PATIENCE; tried++) {
    let wait = 2 ** tried;
    let reason: string;
    try {
      const answer = await fetch(request.clone());
      if (![429, 502, 503, 504].includes(answer.status)) {
        return answer;
      }
      reason = `${answer.status}`;
      wait = Number(answer.headers.get("Retry-After") ?? wait);
    } catch (error) {
      reason = `${error}`;
    }
    console.error(`${reason}; trying again in ${wait} s`);
    await new Promise((resolve) => setTimeout(resolve, wait * 1000));
  }
  return fetch(request);
}

export class Register {
  private readonly client: Client<paths, Media>;

  constructor(url: string, key?: string) {
    this.client = createClient<paths, Media>({
      baseUrl: url,
      fetch: patiently,
      ...(key ? { headers: { Authorization: `Bearer ${key}` } } : {}),
    });
  }

  /** Submits an entry. With the same idempotency key, it is safe to repeat. */
  async submit(entry: Entry, idempotencyKey: string): Promise<Innovation> {
    const { data, error, response } = await this.client.POST("/v1/innovations", {
      params: { header: { "Idempotency-Key": idempotencyKey } },
      body: entry,
    });
    if (error) throw new Refused(response.status, error);
    return data;
  }

  /** Makes the entry with this id of yours what you send. Your system alone may write it. */
  async put(system: string, id: string, entry: Entry): Promise<Innovation> {
    const put = (header: { "If-Match"?: string }) =>
      this.client.PUT("/v1/innovations/by-source/{system}/{id}", {
        params: { path: { system, id }, header },
        body: entry,
      });
    let { data, error, response } = await put({});
    if (response.status === 428) {
      ({ data, error, response } = await put({ "If-Match": "*" })); // It is there already.
    }
    if (error) throw new Refused(response.status, error);
    return data as Innovation;
  }

  /** All innovations of that status, page after page. */
  async *list(status: Status): AsyncGenerator<Innovation> {
    let cursor: string | null = null;
    do {
      const query: { status: Status[]; limit: number; cursor?: string } = {
        status: [status],
        limit: 100,
        ...(cursor === null ? {} : { cursor }),
      };
      const { data, error, response } = await this.client.GET("/v1/innovations", {
        params: { query },
      });
      if (error) throw new Refused(response.status, error);
      yield* data.items;
      cursor = data.page.next;
    } while (cursor !== null);
  }

  /** The pages of the change log since a place in it. Keep `next` when you have dealt with one. */
  async *changes(after: number): AsyncGenerator<{ lines: Change[]; next: number }> {
    for (;;) {
      const { data, error, response } = await this.client.GET("/v1/changes", {
        params: { query: { ...CHANGES, after } },
      });
      if (error) throw new Refused(response.status, error);
      after = data.page.next;
      yield { lines: data.items, next: after };
      if (after >= data.page.head) return;
    }
  }
}
