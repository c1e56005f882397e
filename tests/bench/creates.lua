-- wrk: creates as an existing client sends them, all alike. Environment: TOKEN.
-- SPDX-License-Identifier: MIT
wrk.method = "POST"
wrk.headers["Authorization"] = "Token " .. os.getenv("TOKEN")
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"viduq3-turbo","prompt":"a paper boat on a river","duration":5,"seed":7}'
