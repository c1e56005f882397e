-- wrk: rightly signed callbacks as Vidu sends them (vidu-api.md 11, 12), half of them "processing", half
-- "success" with its links: of the first COUNT the even ones are for a task that begins, the odd ones for one that
-- ends; then those that began end. After one and a half COUNT there is nothing new, and all are duplicates.
-- Environment: KEYS (file of 42-byte keys), SECRET, COUNT, THREADS. With CLOSE=1 each request asks
-- for its own connection; TARGET=path sends every request there. Every server of a run gets the same bytes.
-- SPDX-License-Identifier: MIT
local ffi = require("ffi")
ffi.cdef[[
void *HMAC_CTX_new(void);
int HMAC_Init_ex(void *ctx, const void *key, int n, const void *md, void *engine);
int HMAC_Update(void *ctx, const char *p, size_t n);
int HMAC_Final(void *ctx, unsigned char *mac, unsigned int *n);
const void *EVP_sha256(void);
int EVP_EncodeBlock(unsigned char *t, const unsigned char *f, int n);
int open(const char *path, int flags);
void *mmap(void *addr, size_t length, int prot, int flags, int fd, long offset);
]]
local crypto = ffi.load("crypto.so.3")
local mac = ffi.new("unsigned char[32]")
local text = ffi.new("unsigned char[64]")

local secret = os.getenv("SECRET")
local count = tonumber(os.getenv("COUNT"))
local threads = tonumber(os.getenv("THREADS"))
local close = os.getenv("CLOSE") == "1" and "Connection: close\r\n" or ""
local first = tonumber(os.getenv("FIRST") or "0")
local target = os.getenv("TARGET")
local hmac = crypto.HMAC_CTX_new()
crypto.HMAC_Init_ex(hmac, secret, #secret, crypto.EVP_sha256(), nil)
local second, date
local keys
local index
local number = 0

function setup(thread)
    thread:set("id", number)
    number = number + 1
end

function init(args)
    local fd = ffi.C.open(os.getenv("KEYS"), 0)
    keys = ffi.cast("const char *", ffi.C.mmap(nil, count * 42, 1, 2, fd, 0))
    index = first + id
end

local bodies = {
    '{"id":"%s","state":"processing","err_code":"","credits":40,"payload":"","creations":[]}',
    '{"id":"%s","state":"success","err_code":"","credits":40,"payload":"","bgm":false,"off_peak":false,"creations":[{"id":"912345999901234567","url":"https://media.example/r/clip.mp4?X-Amz-Expires=86400\\u0026X-Amz-Signature=00ff","cover_url":"https://media.example/r/clip.jpg?X-Amz-Expires=3600\\u0026X-Amz-Signature=11ee","watermarked_url":""}]}',
}

function request()
    local pass = math.floor(index / count)
    local i = pass == 0 and index or (index * 2) % count
    local body = bodies[(pass == 0 and i % 2 == 0) and 1 or 2]
    index = index + threads
    local path = "/callback/" .. ffi.string(keys + i * 42, 42)
    if os.time() ~= second then -- as a sender does that is no slower than what it measures
        second = os.time()
        date = os.date("!%a, %d %b %Y %H:%M:%S GMT", second)
    end
    local nonce = string.format("%08x-0000-4000-8000-%012x", pass, i)
    local s = "POST\n" .. path .. "\n\nvidu\n" .. date .. "\nDate:" .. date .. "\nx-request-nonce:" .. nonce .. "\n"
    crypto.HMAC_Init_ex(hmac, nil, 0, nil, nil)
    crypto.HMAC_Update(hmac, s, #s)
    crypto.HMAC_Final(hmac, mac, nil)
    crypto.EVP_EncodeBlock(text, mac, 32)
    body = string.format(body, string.format("9%017d", i))
    return "POST " .. (target or path) .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nDate: " .. date ..
        "\r\nX-Request-Nonce: " .. nonce ..
        "\r\nX-Hmac-Access-Key: vidu\r\nX-Hmac-Algorithm: hmac-sha256\r\nX-Hmac-Signed-Headers: Date;x-request-nonce\r\nX-Hmac-Signature: " ..
        ffi.string(text, 44) .. "\r\nContent-Type: application/json\r\nUser-Agent: Go-http-client/1.1\r\n" .. close ..
        "Content-Length: " .. #body .. "\r\n\r\n" .. body
end
