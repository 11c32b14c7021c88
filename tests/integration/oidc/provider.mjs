// An OpenID provider on a port of its own; its settings are one line of JSON on stdin, its port one on stdout.
//
// PUT /accounts/SUBJECT says what it knows of somebody. Whoever comes says the subject in a form; nobody is
// asked for consent.
import http from "node:http";
import readline from "node:readline";
import Provider from "oidc-provider";

const accounts = new Map();

function page(uid) {
  return `<!doctype html><html lang="en"><title>Provider</title><main><h1>Provider</h1>
<form method="post" action="/interaction/${uid}"><label>Account <input name="subject" required></label>
<button>Go on</button></form></main></html>`;
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

function makeProvider(issuer, { clientId, clientSecret, redirectUri }) {
  return new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        grant_types: ["authorization_code"],
        response_types: ["code"],
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    // What the scopes name is told at the userinfo endpoint, as the standard has it.
    conformIdTokenClaims: true,
    pkce: { required: () => true },
    cookies: { keys: ["of a test"] },
    features: { devInteractions: { enabled: false } },
    findAccount: (_context, subject) => ({
      accountId: subject,
      claims: () => ({ sub: subject, ...accounts.get(subject) }),
    }),
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    async loadExistingGrant(context) {
      const grant = new context.oidc.provider.Grant({
        clientId: context.oidc.client.clientId,
        accountId: context.oidc.session.accountId,
      });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  });
}

async function interact(provider, request, response) {
  const details = await provider.interactionDetails(request, response);
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/html" }).end(page(details.uid));
    return;
  }
  const accountId = new URLSearchParams(await bodyOf(request)).get("subject");
  await provider.interactionFinished(request, response, { login: { accountId, remember: false } });
}

async function answer(provider, request, response) {
  if (request.method === "PUT" && request.url.startsWith("/accounts/")) {
    const subject = decodeURIComponent(request.url.slice("/accounts/".length));
    accounts.set(subject, JSON.parse(await bodyOf(request)));
    response.writeHead(204).end();
  } else if (request.url.startsWith("/interaction/")) {
    await interact(provider, request, response);
  } else {
    await provider.callback()(request, response);
  }
}

const [line] = await readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]().next().then(
  ({ value }) => [value],
);
const server = http.createServer();
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const provider = makeProvider(`http://localhost:${port}`, JSON.parse(line));
  server.on("request", (request, response) => {
    answer(provider, request, response).catch((error) => {
      process.stderr.write(`${error.stack}\n`);
      response.writeHead(500).end();
    });
  });
  process.stdout.write(`${JSON.stringify({ port })}\n`);
});
