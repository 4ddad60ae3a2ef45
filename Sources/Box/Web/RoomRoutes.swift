import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import Wire

/// What the room page asks over HTTP: facts about the box, and a session for whoever holds the room's secret.
struct RoomRoutes: Sendable {
    let desk: RoomDesk

    func add(to router: Router<BoxRequestContext>) {
        router.get("/api/room") { _, _ in jsonResponse { desk.write(factsTo: &$0) } }
        router.post("/api/session", use: openSession)
    }

    @Sendable private func openSession(request: Request, context: BoxRequestContext) async throws -> Response {
        let body = try await request.body.collect(upTo: context.maxUploadSize)
        do throws(RoomDesk.Refusal) {
            let session = try desk.openSession(body.readableBytesSpan, address: IPAddress(context.remoteAddress))
            return jsonResponse { $0.object { desk.write(session, membersTo: &$0) } }
        } catch {
            let status: HTTPResponse.Status =
                switch error.error {
                case RoomDesk.Refusal.slowDown.error: .tooManyRequests
                case RoomDesk.Refusal.malformed.error: .badRequest
                default: .forbidden
                }
            return jsonResponse(status) { writer in
                writer.object { answer in
                    answer.member("error", error.error)
                    answer.member("message", error.message)
                }
            }
        }
    }
}
