// Relying parties and a resource server made of oauth4webapi, which does each step alone and strictly.

import * as oauth from "oauth4webapi"
import { arrival, ask, described, imported, run } from "./tester.mjs"

const insecure = { [oauth.allowInsecureRequests]: true }

const AUTHENTICATION = {
  none: () => oauth.None(),
  client_secret_basic: ({ client_secret }) => oauth.ClientSecretBasic(client_secret),
  client_secret_post: ({ client_secret }) => oauth.ClientSecretPost(client_secret),
  client_secret_jwt: ({ client_secret }) => oauth.ClientSecretJwt(client_secret),
  private_key_jwt: async ({ private_key }) => oauth.PrivateKeyJwt(await imported(private_key)),
}

async function discover({ issuer, algorithm = "oidc" }) {
  const url = new URL(issuer)
  return await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm, ...insecure }))
}

async function registered(config) {
  const client = { client_id: config.client_id, id_token_signed_response_alg: config.signed_by ?? "RS256" }
  return [client, await AUTHENTICATION[config.method](config)]
}

/** Send the browser to sign in; what comes back in it, and what it has to match. */
async function authorize(server, config) {
  const verifier = oauth.generateRandomCodeVerifier()
  const nonce = oauth.generateRandomNonce()
  const state = oauth.generateRandomState()
  const url = new URL(server.authorization_endpoint)
  const asked = {
    client_id: config.client_id,
    redirect_uri: config.redirect_uri,
    response_type: "code",
    scope: config.scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    nonce,
    state,
    ...config.parameters,
  }
  url.search = new URLSearchParams(asked)
  return { back: await arrival(url.href), verifier, nonce, state }
}

/** Redeem a code, and believe the ID token only when its signature is good. */
async function redeem(server, config, parameters, { verifier, nonce }, expected = {}) {
  const [client, authentication] = await registered(config)
  const { redirect_uri } = config
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, authentication, parameters, redirect_uri, verifier, insecure,
  )
  const options = { expectedNonce: nonce, requireIdToken: true, ...expected }
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, options)
  await oauth.validateApplicationLevelSignature(server, response, insecure)
  return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens) }
}

async function signIn(server, config, expected) {
  const went = await authorize(server, config)
  const [client] = await registered(config)
  // A page reads what is in its own fragment, and hands it on.
  const back = went.back.hash ? new URLSearchParams(went.back.hash.slice(1)) : went.back
  const parameters = oauth.validateAuthResponse(server, client, back, went.state)
  return await redeem(server, config, parameters, went, expected)
}

async function userinfo(server, client, { tokens, claims }) {
  const response = await oauth.userInfoRequest(server, client, tokens.access_token, insecure)
  return await oauth.processUserInfoResponse(server, client, claims.sub, response)
}

async function refused(promise) {
  try {
    await promise
  } catch (error) {
    return { ...described(error), challenges: error.cause instanceof Array ? error.cause : null }
  }
  throw new Error("it was not refused")
}

const scenarios = {
  async everything(config) {
    const server = await discover(config)
    const [client, authentication] = await registered(config)
    const first = await signIn(server, config)
    const saw = { claims: first.claims, userinfo: await userinfo(server, client, first) }

    const refresh = await oauth.refreshTokenGrantRequest(
      server, client, authentication, first.tokens.refresh_token, insecure,
    )
    const second = await oauth.processRefreshTokenResponse(server, client, refresh)
    await oauth.validateApplicationLevelSignature(server, refresh, insecure)
    saw.refreshed = oauth.getValidatedIdTokenClaims(second)

    const introspect = async (token) => {
      const response = await oauth.introspectionRequest(server, client, authentication, token, insecure)
      return await oauth.processIntrospectionResponse(server, client, response)
    }
    const secret = config.method !== "none"
    if (secret) saw.active = await introspect(second.refresh_token)
    const revoke = await oauth.revocationRequest(server, client, authentication, second.refresh_token, insecure)
    await oauth.processRevocationResponse(revoke)
    if (secret) saw.inactive = await introspect(second.refresh_token)
    const again = await oauth.refreshTokenGrantRequest(
      server, client, authentication, second.refresh_token, insecure,
    )
    saw.after = await refused(oauth.processRefreshTokenResponse(server, client, again))
    return saw
  },

  async sign_in(config) {
    const server = await discover(config)
    const { tokens, claims } = await signIn(server, config, { maxAge: config.max_age })
    return { tokens, claims, userinfo: await userinfo(server, (await registered(config))[0], { tokens, claims }) }
  },

  async hybrid(config) {
    const server = await discover(config)
    const [client] = await registered(config)
    const went = await authorize(server, config)
    const parameters = await oauth.validateCodeIdTokenResponse(
      server, client, went.back, went.nonce, went.state, undefined, insecure,
    )
    return { claims: (await redeem(server, config, parameters, went)).claims }
  },

  // What an API does that trusts nothing but our keys.
  async jwt_access_token(config) {
    const server = await discover(config)
    const judged = async (token, audience = config.issuer) => {
      const request = new Request(config.api, { headers: { authorization: `Bearer ${token}` } })
      return await oauth.validateJwtAccessToken(server, request, audience, insecure)
    }
    const { tokens, claims } = await signIn(server, config)
    const token = tokens.access_token
    const [head, body, signature] = token.split(".")
    return {
      claims,
      judged: await judged(token),
      elsewhere: await refused(judged(token, "https://other.example")),
      forged: await refused(judged(`${head}.${body}.${"A".repeat(signature.length)}`)),
      id_token: await refused(judged(tokens.id_token)),
    }
  },

  async machine(config) {
    const server = await discover({ ...config, algorithm: "oauth2" })
    const [client, authentication] = await registered(config)
    const { scope } = config
    const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, { scope }, insecure)
    const tokens = await oauth.processClientCredentialsResponse(server, client, response)
    const call = (token, method) => oauth.protectedResourceRequest(token, method, new URL(config.api), undefined, undefined, insecure)
    return {
      tokens,
      api: await (await call(tokens.access_token, "GET")).json(),
      short_of_scope: await refused(call(tokens.access_token, "POST")),
      unknown_token: await refused(call("unknown", "GET")),
    }
  },

  async device(config) {
    const server = await discover(config)
    const [client, authentication] = await registered(config)
    const { scope } = config
    const response = await oauth.deviceAuthorizationRequest(server, client, authentication, { scope }, insecure)
    const started = await oauth.processDeviceAuthorizationResponse(server, client, response)
    const poll = async () => {
      const polled = await oauth.deviceCodeGrantRequest(server, client, authentication, started.device_code, insecure)
      const tokens = await oauth.processDeviceCodeResponse(server, client, polled)
      await oauth.validateApplicationLevelSignature(server, polled, insecure)
      return tokens
    }
    const saw = { pending: await refused(poll()), too_soon: await refused(poll()) }
    saw.heading = await ask("enter", { started, button: "Allow" })
    const tokens = await poll()
    saw.userinfo = await userinfo(server, client, { tokens, claims: oauth.getValidatedIdTokenClaims(tokens) })
    saw.again = await refused(poll())
    return saw
  },
}

await run(scenarios)
