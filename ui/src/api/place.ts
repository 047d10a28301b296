/** Where the gateway stands: below the path that the page's <base> tells. */

export const basePath = new URL(document.baseURI).pathname.replace(/\/$/, "");

export function urlOf(path: string): string {
  return new URL(path, document.baseURI).toString();
}

/** What clients are pointed at. */
export function dataPlaneURL(): string {
  return urlOf("v1");
}

export function socketURL(path: string): string {
  return urlOf(path).replace(/^http/, "ws");
}
