// Prints the path of a Chromium that npm brought, and the folder of the libraries it needs.
process.env.AWS_EXECUTION_ENV ??= "AWS_Lambda_nodejs22.x";
const { default: chromium } = await import("@sparticuz/chromium");
const path = await chromium.executablePath();
process.stdout.write(JSON.stringify({ path, libraries: process.env.LD_LIBRARY_PATH ?? "" }));
