// A client of the API in one function: documents that know their types, sent by `fetch`.

import type { TypedDocumentString } from "./generated.js";

/** Who asks: nobody, whoever signed in, or a guest with the secret of a registration. */
export interface Who {
  token?: string;
  guestSecret?: string;
}

/** An operation that the server refused or could not answer: what failed, and the id to ask the operator about. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly requestId?: string,
  ) {
    super(`${code}: ${message}`);
  }
}

interface Answer<T> {
  data?: T | null;
  errors?: { message: string; extensions?: { code?: string; requestId?: string } }[];
}

export class Client {
  constructor(readonly url: string) {}

  /**
   * The data of an operation. Throws an `ApiError` when there are errors; what a caller may expect to happen (sold out,
   * expired) is no error but in the `userErrors` of a payload.
   *
   * Told to come later (429, 503), it does so, three times at most: nothing of the operation was done.
   */
  async ask<Data, Variables>(
    document: TypedDocumentString<Data, Variables>,
    variables: Variables,
    who: Who = {},
  ): Promise<Data> {
    for (let tries = 1; ; tries += 1) {
      const response = await fetch(`${this.url}/graphql`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/graphql-response+json",
          ...(who.token && { authorization: `Bearer ${who.token}` }),
          ...(who.guestSecret && { "x-guest-secret": who.guestSecret }),
        },
        body: JSON.stringify({ query: document.toString(), variables }),
        signal: AbortSignal.timeout(30_000),
      });
      if ((response.status === 429 || response.status === 503) && tries < 4) {
        await response.body?.cancel();
        const seconds = Number(response.headers.get("retry-after") ?? 1);
        await new Promise((resume) => setTimeout(resume, seconds * 1000));
        continue;
      }
      const answer = (await response.json()) as Answer<Data>;
      const [error] = answer.errors ?? [];
      if (error) {
        throw new ApiError(error.extensions?.code ?? "UNKNOWN", error.message, error.extensions?.requestId);
      }
      if (!answer.data) throw new ApiError("UNKNOWN", `status ${response.status} without data`);
      return answer.data;
    }
  }
}
