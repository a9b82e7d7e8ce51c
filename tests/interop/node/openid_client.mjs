// Relying parties made of openid-client.

import * as client from "openid-client"
import { arrival, ask, described, imported, run } from "./tester.mjs"

const AUTHENTICATION = {
  none: () => client.None(),
  client_secret_basic: ({ client_secret }) => client.ClientSecretBasic(client_secret),
  client_secret_post: ({ client_secret }) => client.ClientSecretPost(client_secret),
  client_secret_jwt: ({ client_secret }) => client.ClientSecretJwt(client_secret),
  private_key_jwt: async ({ private_key }) => client.PrivateKeyJwt(await imported(private_key)),
}

// Over TLS it believes an ID token of the token endpoint without looking at the signature; here it looks.
async function discover(config) {
  const { issuer, client_id, method, algorithm = "RS256" } = config
  const metadata = { id_token_signed_response_alg: algorithm, redirect_uris: [config.redirect_uri] }
  const authentication = await AUTHENTICATION[method](config)
  return await client.discovery(new URL(issuer), client_id, metadata, authentication, {
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
  })
}

async function authorization({ redirect_uri, scope, parameters = {} }) {
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    idTokenExpected: true,
  }
  const asked = {
    redirect_uri,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...parameters,
  }
  return { asked, checks }
}

async function signIn(server, config) {
  const { asked, checks } = await authorization(config)
  const back = await arrival(client.buildAuthorizationUrl(server, asked).href)
  return await client.authorizationCodeGrant(server, back, checks)
}

async function refused(promise) {
  try {
    await promise
  } catch (error) {
    return described(error)
  }
  throw new Error("it was not refused")
}

const scenarios = {
  async everything(config) {
    const server = await discover(config)
    const saw = { pkce: server.serverMetadata().supportsPKCE("S256") }
    const first = await signIn(server, config)
    saw.claims = first.claims()
    saw.scope = first.scope
    saw.userinfo = await client.fetchUserInfo(server, first.access_token, saw.claims.sub)
    const api = new URL(config.api)
    saw.api = await (await client.fetchProtectedResource(server, first.access_token, api, "GET")).json()

    const second = await client.refreshTokenGrant(server, first.refresh_token)
    saw.refreshed = second.claims() ?? null
    saw.replaced = second.refresh_token !== first.refresh_token && second.access_token !== first.access_token
    const narrow = await client.refreshTokenGrant(server, second.refresh_token, { scope: "openid" })
    saw.narrowed = narrow.scope

    if (config.method !== "none") saw.active = await client.tokenIntrospection(server, narrow.access_token)
    await client.tokenRevocation(server, narrow.refresh_token)
    if (config.method !== "none") saw.inactive = await client.tokenIntrospection(server, narrow.access_token)
    saw.after = await refused(client.refreshTokenGrant(server, narrow.refresh_token))
    saw.userinfo_after = await refused(client.fetchUserInfo(server, narrow.access_token, saw.claims.sub))
    return saw
  },

  async sign_in(config) {
    const server = await discover(config)
    const tokens = await signIn(server, config)
    return { claims: tokens.claims(), ...tokens }
  },

  async hybrid(config) {
    const server = await discover(config)
    client.useCodeIdTokenResponseType(server)
    const tokens = await signIn(server, config)
    return { claims: tokens.claims(), userinfo: await client.fetchUserInfo(server, tokens.access_token, tokens.claims().sub) }
  },

  async implicit(config) {
    const server = await discover(config)
    client.useIdTokenResponseType(server)
    const { asked, checks } = await authorization(config)
    delete asked.code_challenge
    delete asked.code_challenge_method
    const back = await arrival(client.buildAuthorizationUrl(server, asked).href)
    const { expectedNonce, expectedState } = checks
    return { claims: await client.implicitAuthentication(server, back, expectedNonce, { expectedState }) }
  },

  async refused(config) {
    return await refused(signIn(await discover(config), config))
  },

  async another_answer(config) {
    const server = await discover(config)
    const { asked, checks } = await authorization(config)
    const back = await arrival(client.buildAuthorizationUrl(server, asked).href)
    const saw = {
      state: await refused(client.authorizationCodeGrant(server, back, { ...checks, expectedState: "another" })),
      nonce: await refused(client.authorizationCodeGrant(server, back, { ...checks, expectedNonce: "another" })),
    }
    saw.replay = await refused(client.authorizationCodeGrant(server, back, checks))
    return saw
  },

  async machine(config) {
    const server = await discover(config)
    const tokens = await client.clientCredentialsGrant(server, { scope: config.scope })
    const api = new URL(config.api)
    return {
      tokens,
      api: await (await client.fetchProtectedResource(server, tokens.access_token, api, "GET")).json(),
      refused: await refused(client.clientCredentialsGrant(server, { scope: "everything" })),
    }
  },

  async device(config) {
    const server = await discover(config)
    const started = await client.initiateDeviceAuthorization(server, { scope: config.scope })
    const polled = client.pollDeviceAuthorizationGrant(server, started)
    // Whatever it will be, it is looked at below.
    polled.catch(() => {})
    await ask("enter", { started, button: config.button })
    try {
      const tokens = await polled
      const claims = tokens.claims()
      return { started, claims, userinfo: await client.fetchUserInfo(server, tokens.access_token, claims.sub) }
    } catch (error) {
      return { started, refused: described(error) }
    }
  },

  async log_out(config) {
    const server = await discover(config)
    const tokens = await signIn(server, config)
    const state = client.randomState()
    const { post_logout_redirect_uri } = config
    const silently = { ...config, parameters: { prompt: "none" } }
    const again = await signIn(server, silently)
    const url = client.buildEndSessionUrl(server, { post_logout_redirect_uri, id_token_hint: tokens.id_token, state })
    const { url: back } = await ask("browse", { url: url.href })
    return { back, state, same: again.claims().sid === tokens.claims().sid, after: await refused(signIn(server, silently)) }
  },
}

await run(scenarios)
