import pytest

from plimsoll.venues.bybit.codes import CODES, class_of, outcome_of

DOCUMENTED = """
no       | 400 404                         | malformed request, wrong path
fatal    | 401 403                         | no authentication; address limit or region
unknown  | 429                             | the venue protects itself
no       | -1 10002                        | request expired, stamp outside the window
fatal    | -2015 33004                     | key expired
unknown  | 10000 10016 500000-500001       | timeout or error inside the venue
no       | 10001 10017                     | a parameter is wrong, no such route
fatal    | 10003 10004 10005 10007 10010   | key, signature, rights, login, bound address
fatal    | 10008 10009 10024 10027         | account banned, region, compliance, trading banned
retry    | 10006 10018 10403 10429         | too many requests
unknown  | 10014                           | a repeated request: the first may have run
retry    | 10019                           | order entry restarts
fatal    | 10028 100028                    | not for this kind of account
no       | 10029 10404                     | symbol not allowed for the key, no such operation
ok       | 20001                           | logged in already
retry    | 20003                           | too many requests in this session
unknown  | 20006                           | a repeated request id: the first may have run
gone     | 110001 110008 110010            | order does not exist, is complete, is cancelled
no       | 110003 110120-110121            | price out of range
no       | 110004 110006-110007 110012     | not enough balance or margin
no       | 110014 110044-110045            | not enough balance or margin
no       | 110051-110053                   | not enough balance or margin
no       | 110005 110033-110034            | the position's state, no position
no       | 110009 110020                   | too many conditional or open orders
no       | 110011 110039-110040 110046     | it would be liquidated
no       | 110013 110036 110038            | leverage or risk limit
no       | 110086-110087 110090            | leverage or risk limit
ok       | 110015 110026-110027            | the margin mode is so already
no       | 110017                          | nothing to reduce
no       | 110018-110019 110032            | illegal user, order id, order
no       | 110021-110023 110042            | open interest or reduce-only restrictions
no       | 110085 110089                   | risk restrictions
no       | 110024 110028-110029            | the position mode cannot change
ok       | 110025 110043 34040             | position mode, leverage, stops are so already
unknown  | 110030 110072 170141            | an id twice: an earlier copy arrived
no       | 110031 110041 110047-110048     | risk limit
retry    | 110035 110063 110079            | come back in a moment
no       | 110037 110049-110050            | symbol not in the settings, bad number or coin
no       | 110054-110061                   | take-profit and stop-loss modes
no       | 110062 110065                   | market maker protection
no       | 110064 170313                   | amended to less than was matched
no       | 110066 110074                   | no trading now, contract not live
fatal    | 110067-110071 110088            | kind of account
no       | 110073 3400045                  | the margin mode cannot change
no       | 110076-110078 110082-110083     | margin and reduce-only settings
no       | 110080 110104-110107            | institutional loans
no       | 110092-110093                   | trigger price on the wrong side
no       | 110094                          | value below the minimum
no       | 110095-110100                   | before trading starts, or demo
no       | 110101-110103                   | inverse; only post-only
no       | 110108-110109                   | slippage tolerance
no       | 110110-110117                   | spread trading
no       | 110118-110119                   | no price for a market order; RPI for makers
fatal    | 110123-110125                   | agreement not signed, cooling off
no       | 110131-110132 110135-110137     | loan to value, region, event contracts
no       | 30208-30209 30228               | price limits, delisting
no       | 30133-30136 30256               | institutional loans
unknown  | 40004                           | changed while it was being replaced
no       | 181017 3100326 3200403 3400139  | filter, base coin, isolated, risk limit
unknown  | 170001 170007 170032 170234     | error, timeout, network inside the venue
retry    | 170005 170222                   | too many requests
no       | 170010-170011 170019            | balance, loan or limit
no       | 170033-170034 170131 170207     | balance, loan or limit
no       | 170228-170229                   | balance, loan or limit
no       | 170031 170151 170157 170159     | not available
no       | 170206 170209 170219 170221     | not available
no       | 170224 170227 170241 170344     | not available
no       | 170348 170358-170359            | not available
unknown  | 170035                          | being processed
no       | 170036-170037 170226 170230     | state of margin trading
no       | 170105 170115-170117            | a parameter is missing or wrong
no       | 170121 170130 170201-170202     | a parameter is missing or wrong
no       | 170124 170132-170134            | price, quantity, value, precision
no       | 170136-170137 170140 170148     | price, quantity, value, precision
no       | 170192-170194 170203-170204     | price, quantity, value, precision
no       | 170341 170371-170372            | price, quantity, value, precision
no       | 170381-170382                   | price, quantity, value, precision
gone     | 170139 170142-170143            | order is filled, cancelled, not found
gone     | 170190 170213                   | cancelled, not found
retry    | 170144 170191                   | locked, cannot be cancelled now
no       | 170145 170312                   | this order cannot be cancelled or amended
unknown  | 170146-170147 170310            | timeout of a create, cancel, amend
no       | 170149 170210                   | create failed, rejected
unknown  | 170150 170212 170311            | failed or under way: read the order again
no       | 170195-170200                   | the price deviates too far
no       | 170215-170216 170220 170223     | institutional
no       | 170709                          | institutional
no       | 170217-170218                   | only post-only, post-only price
no       | 170346 170355 170360            | collateral settings; RPI for makers
no       | 170810                          | too many orders
"""
"""Class, codes and meaning of every code on the venue's error pages: held against the table."""


def documented() -> dict[int, str]:
    found: dict[int, str] = {}
    for line in DOCUMENTED.strip().splitlines():
        kind, codes, _ = (part.strip() for part in line.split("|"))
        for text in codes.split():
            first, _, last = text[1:].partition("-")  # a sign may stand first
            start = int(text[0] + first)
            for code in range(start, int(last or start) + 1):
                assert code not in found, code
                found[code] = kind
    return found


def test_every_documented_code_has_its_class_and_no_other_is_listed():
    assert {code: str(found) for code, found in CODES.items()} == documented()


def test_the_trade_socket_means_the_same_by_every_code_but_one():
    differing = {
        code: (str(class_of(code, "rest")), str(class_of(code, "trade")))
        for code in documented()
        if class_of(code, "rest") is not class_of(code, "trade")
    }
    assert differing == {10003: ("fatal", "retry")}


@pytest.mark.parametrize("code", [5, 99_999, 170_999])
def test_a_code_nobody_documented_is_unknown(code):
    assert str(class_of(code)) == "unknown"


@pytest.mark.parametrize("code", [10006, 10403, 10429, 10019, 20003, 170005, 170222])
def test_a_limited_create_is_unknown_but_a_limited_cancel_was_not_done(code):
    assert outcome_of("create", code, "trade") == "unknown"
    assert outcome_of("amend", code, "trade") == "unknown"
    assert outcome_of("cancel", code, "trade") == "refused"


@pytest.mark.parametrize("code", [110072, 170141])
@pytest.mark.parametrize("action", ["create", "amend", "cancel"])
def test_a_duplicate_id_means_an_earlier_copy_arrived(action, code):
    assert outcome_of(action, code, "rest") == "unknown"


@pytest.mark.parametrize("code", [110001, 170213, 110008, 110010])
def test_a_finished_order_is_gone(code):
    assert outcome_of("cancel", code, "trade") == "gone"
    assert outcome_of("amend", code, "rest") == "gone"
    assert outcome_of("create", code, "rest") == "unknown"


@pytest.mark.parametrize("code", [110007, 10001, 10002, 170131, 110017])
def test_definite_refusals_are_refused(code):
    assert outcome_of("create", code, "trade") == "refused"


@pytest.mark.parametrize("code", [-2, 1, 99999, 403, 10016, 500000, 34040])
def test_everything_else_proves_nothing(code):
    assert outcome_of("create", code, "rest") == "unknown"


def test_a_code_may_mean_another_thing_on_another_channel():
    assert outcome_of("create", 10003, "rest") == "refused"
    assert outcome_of("create", 10003, "trade") == "unknown"
    assert str(class_of(10003, "rest")) == "fatal"


def test_zero_is_acceptance_for_processing():
    assert outcome_of("create", 0, "trade") == "accepted"
