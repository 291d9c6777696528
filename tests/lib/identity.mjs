// SPDX-License-Identifier: Apache-2.0
// An identity provider for one test (oidc-provider): any name signs in and is that name.
//
//	node identity.mjs HOST PORT CERTIFICATE KEY CLIENT SECRET BACK
//
// Prints "ready" when it answers.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

const [host, port, certificate, key, client, secret, back] = process.argv.slice(2);
const PAGE = `<!doctype html><title>Example</title><h1>Who are you?</h1>
<form method="post"><label>Account <input name="account"></label><button>Go on</button></form>`;

const provider = new Provider(`https://${host}:${port}`, {
	clients: [
		{
			client_id: client,
			client_secret: secret,
			redirect_uris: [back],
			response_types: ['code'],
			grant_types: ['authorization_code'],
		},
	],
	claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email'] },
	findAccount: (context, id) => ({
		accountId: id,
		claims: () => ({ sub: id, preferred_username: id, email: id }),
	}),
	// Nobody is asked whether Convoke may know the name.
	loadExistingGrant: async ({ oidc }) => {
		const grant = new oidc.provider.Grant({
			clientId: oidc.client.clientId,
			accountId: oidc.session.accountId,
		});
		grant.addOIDCScope('openid profile email');
		await grant.save();
		return grant;
	},
	pkce: { required: () => true },
	features: { devInteractions: { enabled: false } },
	interactions: { url: (context, { uid }) => `/who/${uid}` },
});

async function whoIsIt(request, response) {
	if (request.method === 'GET') {
		response.setHeader('Content-Type', 'text/html');
		response.end(PAGE);
		return;
	}
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	const account = new URLSearchParams(String(Buffer.concat(chunks))).get('account');
	await provider.interactionFinished(request, response, { login: { accountId: account } });
}

const handle = provider.callback();
createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) =>
	request.url.startsWith('/who/') ? whoIsIt(request, response) : handle(request, response),
).listen(Number(port), host, () => console.log('ready'));
