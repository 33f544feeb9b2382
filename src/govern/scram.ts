// SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's half: pure. Neither the password nor anything that opens a door with
// another server goes over the wire, and what is kept here (the verifier) does not let its thief in without guessing.

import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'

export type Verifier = { storedKey: Buffer; serverKey: Buffer }

/** Clients compute them at each connection; a token has 256 bits and needs none, a guessed password costs this much. */
export const scramIterations = 10_000

export async function verifierOf(secret: string, salt: Buffer): Promise<Verifier> {
  const salted = await new Promise<Buffer>((resolve, reject) =>
    pbkdf2(prepared(secret), salt, scramIterations, 32, 'sha256', (error, key) =>
      error ? reject(error) : resolve(key),
    ),
  )
  return { storedKey: sha256(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') }
}

/** Whether `proof` was made with the secret of this verifier over `message`, the conversation so far. Constant time. */
export function provesSecret({ storedKey }: Verifier, message: string, proof: Buffer): boolean {
  if (proof.length !== 32) return false
  const signature = hmac(storedKey, message)
  const clientKey = Buffer.from(signature.map((byte, at) => byte ^ proof[at]!))
  return timingSafeEqual(sha256(clientKey), storedKey)
}

/** Tells the client that the server knows the verifier too. */
export const serverSignature = ({ serverKey }: Verifier, message: string): Buffer => hmac(serverKey, message)

export const showVerifier = ({ storedKey, serverKey }: Verifier): string =>
  `${storedKey.toString('base64')}:${serverKey.toString('base64')}`

export function parseVerifier(text: string): Verifier {
  const [storedKey, serverKey] = text.split(':').map((part) => Buffer.from(part, 'base64'))
  return { storedKey: storedKey!, serverKey: serverKey! }
}

/** The part of SASLprep (RFC 4013) that people meet: spaces are spaces, what is not seen is nothing, NFKC. */
const prepared = (secret: string) =>
  secret
    .replace(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ')
    .replace(/\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/gu, '')
    .normalize('NFKC')

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest()
const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
