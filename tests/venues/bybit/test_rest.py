import pytest

from plimsoll.venues.bybit.rest import Answer, End, Heard, needs_clock

PATH = "/v5/order/realtime"


def ask(rest, **reply):
    async def scenario(client, fake):
        return await client.get(PATH, {"category": "linear"}, signed=True)

    return rest(lambda fake: fake.reply(PATH, **reply), scenario)


def test_what_is_signed_is_what_is_sent(rest):
    async def scenario(client, fake):
        await client.get(PATH, {"b": "first%3D1,x", "empty": "", "a": 2}, signed=True)
        return fake.requests[0][0], client

    request, client = rest(lambda fake: fake.reply(PATH), scenario)
    query = request.raw_path.partition("?")[2]
    assert query == "b=first%253D1%2Cx&a=2"
    headers = request.headers
    signed = f"{headers['X-BAPI-TIMESTAMP']}k2000{query}"
    assert headers["X-BAPI-SIGN"] == client._signer.sign(signed.encode())


def test_a_post_signs_its_body(rest):
    async def scenario(client, fake):
        await client.post("/v5/order/create", b'{"a":1}', 1700000000000)
        return *fake.requests[0], client

    request, body, client = rest(lambda fake: fake.reply("/v5/order/create"), scenario)
    assert body == '{"a":1}'
    assert request.headers["X-BAPI-SIGN"] == client._signer.sign(b'1700000000000k2000{"a":1}')


@pytest.mark.parametrize(
    ("reply", "end", "code"),
    [
        ({}, End.OK, 0),
        ({"code": 110007}, End.REFUSED, 110007),
        ({"code": 10006}, End.LIMITED, 10006),
        ({"status": 429, "text": ""}, End.LIMITED, 429),
        ({"status": 502, "text": "<html>"}, End.BROKEN, 502),
        ({"status": 302, "text": ""}, End.BROKEN, 302),
        ({"status": 404, "text": "nope"}, End.REFUSED, 404),
        ({"text": "<html>"}, End.BROKEN, 200),
        ({"text": "{}"}, End.BROKEN, 200),
        ({"text": '{"ret_code":10004,"ret_msg":"sign"}'}, End.REFUSED, 10004),
        ({"status": 0}, End.BROKEN, 0),
    ],
)
def test_every_end_is_a_value(rest, reply, end, code):
    answer = ask(rest, **reply)
    assert (answer.end, answer.code) == (end, code)


def test_a_timeout_is_a_value(rest):
    async def scenario(client, fake):
        return await client.get(PATH, {}, signed=False)

    answer = rest(lambda fake: fake.reply(PATH), scenario, rest_timeout_s=1e-9)
    assert answer.end is End.BROKEN


def test_a_ban_silences_everything(rest):
    async def scenario(client, fake):
        first = await client.get(PATH, {}, signed=False)
        second = await client.get(PATH, {}, signed=False)
        return first.end, second.end, len(fake.requests), client.is_banned

    found = rest(lambda fake: fake.reply(PATH, status=403, text="too frequent"), scenario)
    assert found == (End.BANNED, End.NOT_SENT, 1, True)


def test_pages_are_followed_to_the_end(rest):
    def prepare(fake):
        fake.reply(PATH, {"list": [1, 2], "nextPageCursor": "a%3D1%26b x&"})
        fake.reply(PATH, {"list": [3], "nextPageCursor": ""})

    async def scenario(client, fake):
        rows = await client.rows(PATH, {"limit": 2}, signed=True)
        return rows, fake.requests[1][0].raw_path

    rows, asked = rest(prepare, scenario)
    assert rows == [b"1", b"2", b"3"]
    # The venue's cursors are percent-encoded text: encoding them again would change them.
    assert asked == f"{PATH}?limit=2&cursor=a%3D1%26b%20x%26"


def test_a_failed_page_is_no_shorter_answer(rest):
    def prepare(fake):
        fake.reply(PATH, {"list": [1], "nextPageCursor": "x"})
        fake.reply(PATH, code=10016)

    async def scenario(client, fake):
        return await client.rows(PATH, {}, signed=True)

    assert isinstance(rest(prepare, scenario), Answer)


def test_the_clock_is_measured_and_stamps_stay_behind_it(rest, clock):
    venue_ns = clock.now_ns() + 5_000_000_000

    async def scenario(client, fake):
        answer = await client.measure_offset(3)
        ahead_ms = client.signed_ms() - clock.now_ns() // 1_000_000
        return answer.is_ok, ahead_ms

    def prepare(fake):
        fake.reply("/v5/market/time", {"timeSecond": "1", "timeNano": str(venue_ns)})

    is_ok, ahead_ms = rest(prepare, scenario)
    assert is_ok
    assert 3000 < ahead_ms <= 5000


def test_an_unreadable_clock_is_told(rest):
    async def scenario(client, fake):
        return await client.measure_offset(1)

    def prepare(fake):
        fake.reply("/v5/market/time", {"timeNano": "x"})

    assert rest(prepare, scenario).end is End.BROKEN


def test_a_stamp_outside_the_window_asks_for_the_clock(rest):
    assert needs_clock(ask(rest, code=10002))
    assert not needs_clock(ask(rest, code=10001))


@pytest.mark.parametrize(("signed", "asked"), [(True, 2), (False, 1)])
def test_a_question_that_came_too_late_for_its_stamp_is_asked_once_more(rest, signed, asked):
    async def scenario(client, fake):
        answer = await client.get(PATH, {"a": "b c"}, signed=signed)
        return answer, fake.requests

    def prepare(fake):
        fake.reply(PATH, code=10002)
        fake.reply(PATH, {"x": 1})

    answer, requests = rest(prepare, scenario)
    assert answer.is_ok == signed
    assert len(requests) == asked
    assert len({request.raw_path for request, _ in requests}) == 1


def test_a_question_whose_stamps_are_always_off_is_refused(rest):
    async def scenario(client, fake):
        return await client.get(PATH, {}, signed=True), len(fake.requests)

    answer, asked = rest(lambda fake: fake.reply(PATH, code=10002), scenario)
    assert (answer.code, asked) == (10002, 2)


@pytest.mark.parametrize("result", ["{}", '{"list":null}', "null", '{"list":{}}'])
def test_an_answer_without_its_list_is_no_empty_list(rest, result):
    async def scenario(client, fake):
        return await client.rows(PATH, {}, signed=True)

    text = f'{{"retCode":0,"result":{result}}}'
    answer = rest(lambda fake: fake.reply(PATH, text=text), scenario)
    assert isinstance(answer, Answer)
    assert answer.end is End.BROKEN


@pytest.mark.parametrize("remark", ['"retMsg":null', '"time":null', '"time":"soon"'])
def test_a_remark_we_do_not_need_spoils_no_answer(rest, remark):
    answer = ask(rest, text=f'{{"retCode":0,{remark},"result":{{}}}}')
    assert answer.is_ok


def test_what_is_no_text_is_no_answer(rest):
    spoiled = b'{"retCode":0,"result":{"orderId":"\xff"}}'
    answer = ask(rest, text=spoiled)
    assert (answer.end, answer.code) == (End.BROKEN, 200)


def test_an_answer_that_contradicts_its_status_proves_nothing(rest):
    def prepare(fake):
        fake.reply("/v5/order/create", status=400)

    async def scenario(client, fake):
        return await client.post("/v5/order/create", b"{}", 1)

    answer = rest(prepare, scenario)
    assert (answer.end, answer.code) == (End.BROKEN, 400)


@pytest.mark.parametrize("nano", ["1", "9" * 40, "-1700000000000000000", "17e17"])
def test_a_time_that_cannot_be_is_no_measurement(rest, nano):
    async def scenario(client, fake):
        return await client.measure_offset(2), client.offset.at(0)

    answer, (offset_ns, _) = rest(
        lambda fake: fake.reply("/v5/market/time", {"timeNano": nano}), scenario
    )
    assert answer.end is End.BROKEN
    assert offset_ns == 0


def test_the_venues_words_are_kept_to_a_length(rest):
    text = '{"retCode":10001,"retMsg":"' + "x" * 70_000 + '","result":{}}'

    async def scenario(client, fake):
        return await client.get("/v5/market/time", {}, signed=False)

    answer = rest(lambda fake: fake.reply("/v5/market/time", text=text), scenario)
    assert answer.code == 10001
    assert len(answer.reason) < 600


@pytest.mark.parametrize("code", ["9" * 30, f"-{'9' * 30}"])
def test_a_code_no_record_can_hold_is_no_answer(rest, code):
    text = f'{{"retCode":{code},"retMsg":"m","result":{{}}}}'

    async def scenario(client, fake):
        return await client.get("/v5/market/time", {}, signed=False)

    answer = rest(lambda fake: fake.reply("/v5/market/time", text=text), scenario)
    assert (answer.end, answer.code) == (End.BROKEN, 200)


def test_who_records_hears_request_and_answer_as_they_were(rest):
    heard: list[Heard] = []

    async def scenario(client, fake):
        client.tap = heard.append
        await client.post("/v5/order/create", b'{"a":1}', 1)
        await client.get("/v5/order/realtime", {"symbol": "S"}, signed=True)

    def prepare(fake):
        fake.reply("/v5/order/create")
        fake.reply("/v5/order/realtime", status=500, text="oops")

    rest(prepare, scenario)
    assert [(one.method, one.target, one.body, one.status) for one in heard] == [
        ("POST", "/v5/order/create", b'{"a":1}', 200),
        ("GET", "/v5/order/realtime?symbol=S", b"", 500),
    ]
    assert heard[1].content == b"oops"
    assert all("sign" not in str(one).lower() for one in heard)
