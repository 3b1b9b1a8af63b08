// The words of the figures for people who learn, in both languages: JSON but for the first line and the last sign.
export const words = {
  "try": {
    "en": "Try",
    "ko": "해 볼 것"
  },
  "start": {
    "en": "start",
    "ko": "출발점"
  },
  "none": {
    "en": "none",
    "ko": "없음"
  },
  "copy": {
    "en": "Copy",
    "ko": "복사"
  },
  "copied": {
    "en": "Copied",
    "ko": "복사됨"
  },
  "trouble": {
    "en": "This could not be computed: {why}",
    "ko": "계산하지 못했습니다: {why}"
  },
  "diverged": {
    "en": "leaves in step {step}",
    "ko": "{step}번째 스텝에 벗어남"
  },
  "axis.step": {
    "en": "step",
    "ko": "스텝"
  },
  "axis.epoch": {
    "en": "epoch",
    "ko": "에포크"
  },
  "axis.rate": {
    "en": "learning rate η (log scale)",
    "ko": "학습률 η (로그 눈금)"
  },
  "axis.rate-linear": {
    "en": "learning rate η",
    "ko": "학습률 η"
  },
  "axis.layer": {
    "en": "layer",
    "ko": "층"
  },
  "axis.trial": {
    "en": "trials",
    "ko": "시도 횟수"
  },
  "control.exact": {
    "en": "{label}, as a number",
    "ko": "{label}, 숫자로 입력"
  },
  "control.rule": {
    "en": "Update rule",
    "ko": "옵티마이저"
  },
  "control.rate": {
    "en": "Learning rate η",
    "ko": "학습률 η"
  },
  "control.times": {
    "en": "All rates, multiplied by",
    "ko": "모든 학습률에 곱할 값"
  },
  "control.momentum": {
    "en": "Momentum μ (Adam’s β₁)",
    "ko": "모멘텀 μ (Adam의 β₁)"
  },
  "control.x": {
    "en": "Start, x",
    "ko": "출발점 x"
  },
  "control.y": {
    "en": "Start, y",
    "ko": "출발점 y"
  },
  "control.steps": {
    "en": "Number of steps",
    "ko": "스텝 수"
  },
  "control.at": {
    "en": "The ball, in % of the way",
    "ko": "공의 위치, 전체 경로의 %"
  },
  "control.batch": {
    "en": "Batch size (rows)",
    "ko": "배치 크기(행)"
  },
  "control.decay": {
    "en": "Decay, per step",
    "ko": "감소율(스텝마다)"
  },
  "control.seed": {
    "en": "Random seed",
    "ko": "시드"
  },
  "control.real-rate": {
    "en": "Learning rate η",
    "ko": "학습률 η"
  },
  "control.real-batch": {
    "en": "Batch size (rows)",
    "ko": "배치 크기(행)"
  },
  "control.real-decay": {
    "en": "Decay, per epoch",
    "ko": "감소율(에포크마다)"
  },
  "control.peak": {
    "en": "Peak learning rate",
    "ko": "최고 학습률"
  },
  "control.epochs": {
    "en": "Length (epochs)",
    "ko": "길이(에포크)"
  },
  "control.activation": {
    "en": "Activation",
    "ko": "활성화 함수"
  },
  "control.std": {
    "en": "Standard deviation of the weights",
    "ko": "가중치의 표준편차"
  },
  "control.layers": {
    "en": "Number of layers",
    "ko": "층의 수"
  },
  "control.units": {
    "en": "Units in each layer",
    "ko": "층마다 유닛 수"
  },
  "control.l2": {
    "en": "L2 penalty λ",
    "ko": "L2 세기 λ"
  },
  "control.l1": {
    "en": "L1 penalty λ",
    "ko": "L1 세기 λ"
  },
  "control.dropout": {
    "en": "Dropout rate",
    "ko": "드롭아웃 비율"
  },
  "control.patience": {
    "en": "Early stopping: patience in epochs (0: off)",
    "ko": "조기 종료: 기다릴 에포크 (0은 끔)"
  },
  "control.schedule": {
    "en": "Learning rate",
    "ko": "학습률"
  },
  "control.curvature": {
    "en": "Curvature λ",
    "ko": "곡률 λ"
  },
  "control.optimizer": {
    "en": "Optimizer",
    "ko": "옵티마이저"
  },
  "control.guess": {
    "en": "Your guess of the rate",
    "ko": "내가 어림한 학습률"
  },
  "control.side": {
    "en": "Trials: this number squared",
    "ko": "시도 횟수: 이 수의 제곱"
  },
  "control.scale": {
    "en": "Scale of the search",
    "ko": "탐색 눈금"
  },
  "axis.penalty": {
    "en": "L2 penalty λ (log scale)",
    "ko": "L2 세기 λ (로그 눈금)"
  },
  "option.sgd": {
    "en": "SGD",
    "ko": "SGD"
  },
  "option.momentum": {
    "en": "Momentum",
    "ko": "모멘텀"
  },
  "option.adagrad": {
    "en": "AdaGrad",
    "ko": "AdaGrad"
  },
  "option.rmsprop": {
    "en": "RMSProp",
    "ko": "RMSProp"
  },
  "option.adam": {
    "en": "Adam",
    "ko": "Adam"
  },
  "option.all": {
    "en": "All five",
    "ko": "다섯 모두"
  },
  "option.sigmoid": {
    "en": "Sigmoid",
    "ko": "시그모이드"
  },
  "option.tanh": {
    "en": "tanh",
    "ko": "tanh"
  },
  "option.relu": {
    "en": "ReLU",
    "ko": "ReLU"
  },
  "option.constant": {
    "en": "Constant, 0.01",
    "ko": "일정하게 0.01"
  },
  "option.cosine": {
    "en": "Cosine from 0.003",
    "ko": "0.003에서 코사인"
  },
  "option.log": {
    "en": "Log",
    "ko": "로그"
  },
  "option.linear": {
    "en": "Linear",
    "ko": "선형"
  },
  "verdict.low": {
    "en": "low",
    "ko": "낮음"
  },
  "verdict.good": {
    "en": "good",
    "ko": "적당함"
  },
  "verdict.high": {
    "en": "high",
    "ko": "높음"
  },
  "verdict.very-high": {
    "en": "very high",
    "ko": "너무 높음"
  },
  "ball.name": {
    "en": "A ball",
    "ko": "굴러가는 공"
  },
  "ball.title": {
    "en": "A ball in a narrow valley",
    "ko": "좁은 골짜기의 공"
  },
  "ball.text": {
    "en": "The gradient says which way the loss rises, and how steeply; a step goes the other way, as long as the slope times the **learning rate** η. This valley, x²/20 + y², is twenty times as steep across as along. So one rate has to do for two directions: what is too much across is too little along, and every rule below answers that in its own way.",
    "ko": "기울기는 손실이 어느 쪽으로 얼마나 가파르게 커지는지를 알려 줍니다. 한 걸음은 그 반대쪽으로, 기울기에 **학습률** η를 곱한 만큼 갑니다. 이 골짜기 x²/20 + y²은 길이 방향보다 폭 방향이 스무 배 가파릅니다. 학습률 하나로 두 방향을 다 감당해야 하니, 폭 방향에 지나친 걸음이 길이 방향에는 모자랍니다. 아래의 옵티마이저들은 이 문제를 저마다 다르게 풉니다."
  },
  "ball.formula": {
    "en": "SGD: *p* ← *p* − η*g*.  Momentum: *v* ← μ*v* − η*g*, *p* ← *p* + *v*.  AdaGrad, RMSProp and Adam divide *g* by the root of its average square.",
    "ko": "SGD: *p* ← *p* − η*g*.  모멘텀: *v* ← μ*v* − η*g*, *p* ← *p* + *v*.  AdaGrad, RMSProp, Adam은 *g*를 그 제곱 평균의 제곱근으로 나눕니다."
  },
  "ball.map": {
    "en": "The valley from above, with its lines of equal loss. Drag the start.",
    "ko": "위에서 본 골짜기와 손실의 등고선. 출발점을 끌어 보세요."
  },
  "ball.losses": {
    "en": "The loss, step by step (log scale)",
    "ko": "스텝마다의 손실(로그 눈금)"
  },
  "ball.losses.describe": {
    "en": "The loss of every path at every step, on a log scale",
    "ko": "각 경로의 스텝별 손실, 로그 눈금"
  },
  "ball.describe": {
    "en": "A map of the valley with paths from the start to the minimum in the middle. {paths}",
    "ko": "골짜기 지도. 출발점에서 가운데 최솟값으로 가는 경로. {paths}"
  },
  "ball.play": {
    "en": "Roll",
    "ko": "굴리기"
  },
  "ball.arrives": {
    "en": "**{rule}** at η = {rate} arrives: after {steps} steps the loss is {loss}.",
    "ko": "**{rule}**, η = {rate}: 도착합니다. {steps}스텝 뒤의 손실은 {loss}입니다."
  },
  "ball.crawls": {
    "en": "**{rule}** at η = {rate} crawls: after {steps} steps the loss is still {loss}.",
    "ko": "**{rule}**, η = {rate}: 기어갑니다. {steps}스텝 뒤에도 손실이 {loss}입니다."
  },
  "ball.swings": {
    "en": "**{rule}** at η = {rate} swings: after {steps} steps the loss is {loss}.",
    "ko": "**{rule}**, η = {rate}: 이리저리 흔들립니다. {steps}스텝 뒤의 손실은 {loss}입니다."
  },
  "ball.diverges": {
    "en": "**{rule}** at η = {rate} diverges: after {steps} steps the loss is {loss}, more than at the start.",
    "ko": "**{rule}**, η = {rate}: 발산합니다. {steps}스텝 뒤의 손실은 {loss}, 출발할 때보다 큽니다."
  },
  "ball.leaves": {
    "en": "**{rule}** at η = {rate} diverges, and has left the picture in step {step}.",
    "ko": "**{rule}**, η = {rate}: 발산합니다. {step}번째 스텝에 그림을 벗어났습니다."
  },
  "ball.below": {
    "en": "The rule is stable here below η = {limit}.",
    "ko": "안정 한계는 {limit}, 지금은 그 아래입니다."
  },
  "ball.above": {
    "en": "The rule is stable here only below η = {limit}.",
    "ko": "안정 한계는 {limit}, 지금은 그 위입니다."
  },
  "ball.best": {
    "en": "After {steps} steps **{rule}** has the lowest loss, {loss}. Paths that diverged: {lost}.",
    "ko": "{steps}스텝 뒤에 손실이 가장 낮은 것은 **{rule}**, {loss}입니다. 발산한 경로: {lost}개."
  },
  "ball.none": {
    "en": "All five have diverged.",
    "ko": "다섯 모두 발산했습니다."
  },
  "ball.try.wall": {
    "en": "SGD at exactly η = 1: it swings across for ever, while it comes in along the valley.",
    "ko": "SGD를 정확히 η = 1로: 폭 방향으로는 영원히 흔들리고, 길이 방향으로는 들어옵니다."
  },
  "ball.try.over": {
    "en": "Two percent more, η = 1.02: every swing is wider than the one before.",
    "ko": "2%만 더, η = 1.02로: 흔들림이 갈수록 커집니다."
  },
  "ball.try.slow": {
    "en": "η = 0.05: straight down the side, and then a crawl along the floor.",
    "ko": "η = 0.05로: 비탈은 곧장 내려오지만 바닥에서는 기어갑니다."
  },
  "ball.try.inertia": {
    "en": "Momentum: swings across cancel, steps along add up.",
    "ko": "모멘텀: 폭 방향의 흔들림은 상쇄되고, 길이 방향의 걸음은 쌓입니다."
  },
  "ball.try.all": {
    "en": "All five, each at a rate of its own.",
    "ko": "다섯을 저마다의 학습률로 한꺼번에."
  },
  "curves.name": {
    "en": "Four curves",
    "ko": "네 개의 곡선"
  },
  "curves.title": {
    "en": "Four curves, and yours",
    "ko": "네 개의 곡선, 그리고 나의 곡선"
  },
  "curves.text": {
    "en": "A very high rate blows up, a high one stays high, a good one falls soon and far, a low one falls slowly. These are real trainings of a network on 1438 handwritten digits, with momentum 0.9 and thirty epochs each. Drag the rate of a fifth, and see where its verdict turns.",
    "ko": "학습률이 너무 높으면 손실이 폭발하고, 높으면 높은 데 머물고, 적당하면 금방 낮은 데까지 내려가고, 낮으면 느리게 내려갑니다. 모두 손글씨 숫자 1,438개로 신경망을 실제로 훈련한 결과입니다(모멘텀 0.9, 30에포크). 다섯 번째 훈련의 학습률을 끌면서 판정이 어디서 바뀌는지 보세요."
  },
  "curves.formula": {
    "en": "*good*: at least 95% of the best run’s gain, and no more than 1.5 times its loss; *low* and *high*: the others below and above the best rate; *very high*: the loss grows.",
    "ko": "*적당함*: 가장 좋은 실행이 줄인 손실의 95% 이상을 줄이고, 손실이 그 1.5배를 넘지 않음. *낮음*과 *높음*: 나머지 가운데 가장 좋은 학습률보다 낮거나 높은 것. *너무 높음*: 손실이 커짐."
  },
  "curves.losses": {
    "en": "Training loss",
    "ko": "훈련 손실"
  },
  "curves.rates": {
    "en": "Loss at the end, for every rate that you have tried",
    "ko": "지금까지 해 본 학습률마다의 마지막 손실"
  },
  "curves.describe": {
    "en": "Training losses over thirty epochs: {runs}",
    "ko": "30에포크 동안의 훈련 손실: {runs}"
  },
  "curves.run": {
    "en": "rate {rate}, {verdict}, loss at the end {loss}",
    "ko": "학습률 {rate}, {verdict}, 마지막 손실 {loss}"
  },
  "curves.rates.describe": {
    "en": "The loss at the end against the rate, for {count} rates",
    "ko": "학습률 {count}개의 마지막 손실"
  },
  "curves.yours": {
    "en": "yours, η = {rate}: {verdict}",
    "ko": "나의 곡선, η = {rate}: {verdict}"
  },
  "curves.verdict": {
    "en": "η = {rate} is **{verdict}**.",
    "ko": "η = {rate}: **{verdict}**."
  },
  "curves.ended": {
    "en": "Its training loss ends at {loss}.",
    "ko": "마지막 훈련 손실은 {loss}입니다."
  },
  "curves.blew": {
    "en": "It blew up in epoch {epoch}.",
    "ko": "{epoch}에포크에 폭발했습니다."
  },
  "curves.guesses": {
    "en": "Its loss is that of guessing, 2.3: the first steps were so long that no unit is left that learns.",
    "ko": "손실이 찍을 때의 값인 2.3 그대로입니다. 첫 걸음들이 너무 커서 배울 수 있는 유닛이 남지 않았습니다."
  },
  "curves.try.low": {
    "en": "η = 0.0005: what a low rate costs is time.",
    "ko": "η = 0.0005: 낮은 학습률의 대가는 시간입니다."
  },
  "curves.try.good": {
    "en": "η = 0.05: a good rate is a range, not a point.",
    "ko": "η = 0.05: 좋은 학습률은 한 점이 아니라 구간입니다."
  },
  "curves.try.edge": {
    "en": "η = 0.12: how near the edge is a good rate?",
    "ko": "η = 0.12: 좋은 학습률에서 낭떠러지까지는 얼마나 가까울까요?"
  },
  "curves.try.over": {
    "en": "η = 0.5: higher than what blows up, and yet it does not.",
    "ko": "η = 0.5: 폭발하는 학습률보다 더 높은데도 폭발하지 않습니다."
  },
  "noise.name": {
    "en": "Noise and decay",
    "ko": "잡음과 감소"
  },
  "noise.title": {
    "en": "The noise of minibatches, and decay",
    "ko": "미니배치의 잡음과 학습률 감소"
  },
  "noise.text": {
    "en": "The gradient of a batch is the true gradient plus noise. Where the slope is steep the noise does not matter; at the minimum there is nothing else, and at a constant rate the weights never come to rest: they circle around it, at a distance that grows with the rate. Lower the rate, and they settle.",
    "ko": "미니배치의 기울기는 참 기울기에 잡음이 더해진 것입니다. 가파른 곳에서는 잡음이 별일 아니지만, 최솟값에서는 잡음밖에 남지 않습니다. 그래서 학습률이 일정하면 가중치는 멈추지 못하고 최솟값 둘레를 맴돌고, 그 거리는 학습률과 함께 커집니다. 학습률을 낮춰 가면 그제야 가라앉습니다."
  },
  "noise.formula": {
    "en": "On *x*² with noise of standard deviation σ, the mean square distance is ησ² / (4(1 − η)); a batch of *B* rows has σ = σ₁/√*B*.",
    "ko": "*x*²에서 잡음의 표준편차가 σ이면 거리의 제곱은 평균 ησ² / (4(1 − η))입니다. *B*행짜리 배치의 잡음은 σ = σ₁/√*B*입니다."
  },
  "noise.bowl.title": {
    "en": "In a bowl",
    "ko": "그릇 안에서"
  },
  "noise.bowl.text": {
    "en": "Four hundred steps on x² + y², each with the noise of a batch; here one row alone has σ₁ = 4. Dots are the second half of the way.",
    "ko": "x² + y² 위에서 400걸음을 가며 걸음마다 배치의 잡음을 더합니다. 여기서 한 행의 잡음은 σ₁ = 4입니다. 점은 경로의 뒤쪽 절반입니다."
  },
  "noise.map": {
    "en": "Two paths into the bowl",
    "ko": "그릇으로 들어가는 두 경로"
  },
  "noise.losses": {
    "en": "The loss, step by step (log scale)",
    "ko": "스텝마다의 손실(로그 눈금)"
  },
  "noise.constant": {
    "en": "constant rate",
    "ko": "일정한 학습률"
  },
  "noise.decaying": {
    "en": "η / (1 + decay · step)",
    "ko": "η / (1 + 감소율 · 스텝)"
  },
  "noise.decaying-epochs": {
    "en": "η / (1 + decay · epoch)",
    "ko": "η / (1 + 감소율 · 에포크)"
  },
  "noise.formula-line": {
    "en": "what the formula says of the constant rate",
    "ko": "일정한 학습률의 이론값"
  },
  "noise.describe": {
    "en": "Two clouds around the minimum: the mean loss of the second half is {constant} at the constant rate and {decaying} at the decaying one",
    "ko": "최솟값 둘레의 두 구름. 뒤쪽 절반의 평균 손실은 일정한 학습률 {constant}, 감소하는 학습률 {decaying}"
  },
  "noise.losses.describe": {
    "en": "The losses of both paths on a log scale, with the level of the formula",
    "ko": "두 경로의 손실과 이론값, 로그 눈금"
  },
  "noise.verdict": {
    "en": "With noise of σ = {sigma}, the formula says {expected} for the constant rate. The second half of its path has **{constant}** on average; that of the decaying one **{decaying}**.",
    "ko": "잡음이 σ = {sigma}일 때 일정한 학습률의 이론값은 {expected}입니다. 경로의 뒤쪽 절반을 평균하면 일정한 쪽은 **{constant}**, 감소하는 쪽은 **{decaying}**입니다."
  },
  "noise.wild": {
    "en": "From η = 1 on there is no level to come to: at a constant rate the swings grow for ever.",
    "ko": "η = 1부터는 가라앉을 높이가 없습니다. 학습률이 일정하면 진폭이 끝없이 커집니다."
  },
  "noise.try.rate": {
    "en": "Four times the rate: the cloud grows.",
    "ko": "학습률을 네 배로: 구름이 커집니다."
  },
  "noise.try.batch": {
    "en": "Batches of 256: a quarter of the noise, a sixteenth of the loss.",
    "ko": "배치를 256으로: 잡음은 4분의 1, 손실은 16분의 1입니다."
  },
  "noise.try.decay": {
    "en": "A high rate and much noise, but a decay: soon near, and then at rest.",
    "ko": "높은 학습률과 큰 잡음에 감소를 더하면: 금방 다가가서 가라앉습니다."
  },
  "noise.real.title": {
    "en": "In a training",
    "ko": "실제 훈련에서"
  },
  "noise.real.text": {
    "en": "A linear model on 354 patients, sixty epochs. At a constant rate and with small batches the loss jumps about at a level that it cannot get below; no longer training would close that gap, only a lower rate does.",
    "ko": "환자 354명의 데이터에 선형 모델을 60에포크 동안 맞춥니다. 배치가 작고 학습률이 일정하면 손실은 어느 높이에서 출렁이기만 하고 더 내려가지 못합니다. 더 오래 훈련해도 이 차이는 메워지지 않고, 학습률을 낮춰야 메워집니다."
  },
  "noise.training": {
    "en": "Training loss",
    "ko": "훈련 손실"
  },
  "noise.training.describe": {
    "en": "Two training losses: at the constant rate it ends at {constant}, at the decaying one at {decaying}",
    "ko": "두 훈련 손실. 마지막은 일정한 학습률 {constant}, 감소하는 학습률 {decaying}"
  },
  "noise.real.verdict": {
    "en": "The constant rate ends at **{constant}**, the decaying one at **{decaying}**.",
    "ko": "마지막 훈련 손실은 일정한 학습률 **{constant}**, 감소하는 학습률 **{decaying}**입니다."
  },
  "noise.real.blew": {
    "en": "At least one of the two has blown up: the rate is too high for this batch.",
    "ko": "적어도 한쪽이 폭발했습니다. 이 배치에는 학습률이 너무 높습니다."
  },
  "noise.try.tenth": {
    "en": "A tenth of the rate: lower, and calm from the beginning.",
    "ko": "학습률을 10분의 1로: 더 낮고, 처음부터 잔잔합니다."
  },
  "noise.try.large": {
    "en": "Batches of 64 at the first rate: little noise is left to decay.",
    "ko": "처음 학습률에 배치를 64로: 가라앉힐 잡음이 거의 없습니다."
  },
  "noise.try.early": {
    "en": "A low rate that also decays at once: it stops before it has arrived.",
    "ko": "낮은 학습률을 바로 감소시키면: 도착하기 전에 멈춰 버립니다."
  },
  "schedules.name": {
    "en": "Schedules",
    "ko": "스케줄"
  },
  "schedules.title": {
    "en": "Schedules side by side",
    "ko": "나란히 놓고 보는 스케줄"
  },
  "schedules.text": {
    "en": "A schedule is a rate for every step. The old decays begin to fall at once; what is used today holds the rate up for long and then goes to zero, often behind a short warmup. Below each curve is drawn from its spec, which the program takes as it stands, and twenty epochs of gradient descent on digits show what it does to a training.",
    "ko": "스케줄은 스텝마다의 학습률입니다. 예전의 감소 방식은 처음부터 내려가고, 요즘 쓰는 방식은 학습률을 오래 높게 두었다가 0으로 내리며, 앞에 짧은 워밍업을 두기도 합니다. 아래의 곡선은 모두 스펙에서 그린 것이고, 그 스펙을 그대로 프로그램에 줄 수 있습니다. 숫자 데이터로 20에포크 훈련하면 어떻게 되는지도 함께 보입니다."
  },
  "schedules.formula": {
    "en": "η = *k* / (1 + decay · epoch)  η = *k* · rate^epoch  η = *k* / √epoch  η = *k* (1 + cos π*s*) / 2, *s* from 0 to 1",
    "ko": "η = *k* / (1 + decay · epoch)  η = *k* · rate^epoch  η = *k* / √epoch  η = *k* (1 + cos π*s*) / 2, *s*는 0에서 1까지"
  },
  "schedules.curves": {
    "en": "The learning rate",
    "ko": "학습률"
  },
  "schedules.training": {
    "en": "What they do: training loss on digits, 20 epochs (log scale)",
    "ko": "훈련 결과: 숫자 데이터의 훈련 손실, 20에포크(로그 눈금)"
  },
  "schedules.describe": {
    "en": "Learning rates by epoch: {list}",
    "ko": "에포크마다의 학습률: {list}"
  },
  "schedules.one": {
    "en": "{name} from at most {peak} to {last}",
    "ko": "{name}: 최고 {peak}, 마지막 {last}"
  },
  "schedules.training.describe": {
    "en": "Training losses at the end: {list}",
    "ko": "마지막 훈련 손실: {list}"
  },
  "schedules.own": {
    "en": "Your own spec",
    "ko": "직접 쓰는 스펙"
  },
  "schedules.wrong": {
    "en": "This spec cannot be read:\n{why}",
    "ko": "읽을 수 없는 스펙입니다:\n{why}"
  },
  "schedules.copy": {
    "en": "Copy the spec: {name}",
    "ko": "스펙 복사: {name}"
  },
  "schedules.working": {
    "en": "Training …",
    "ko": "훈련하는 중 …"
  },
  "schedules.empty": {
    "en": "Nothing is chosen. Tick a schedule.",
    "ko": "고른 것이 없습니다. 스케줄을 골라 보세요."
  },
  "schedules.blew": {
    "en": "blew up",
    "ko": "폭발"
  },
  "schedules.all-blew": {
    "en": "All of them have blown up: the peak is too high.",
    "ko": "모두 폭발했습니다. 최고 학습률이 너무 높습니다."
  },
  "schedules.verdict": {
    "en": "**{best}** ends lowest, at {low}; **{worst}** ends highest, at {high}.",
    "ko": "마지막 훈련 손실이 가장 낮은 것은 **{best}**({low}), 가장 높은 것은 **{worst}**({high})입니다."
  },
  "schedules.alone": {
    "en": "**{best}** ends at a training loss of {low}.",
    "ko": "**{best}**: 마지막 훈련 손실은 {low}입니다."
  },
  "schedule.constant": {
    "en": "Constant",
    "ko": "일정"
  },
  "schedule.inverse-time": {
    "en": "1 / (1 + decay · epoch)",
    "ko": "1 / (1 + decay · epoch)"
  },
  "schedule.exponential": {
    "en": "rate^epoch",
    "ko": "rate^epoch"
  },
  "schedule.inverse-sqrt": {
    "en": "1 / √epoch",
    "ko": "1 / √epoch"
  },
  "schedule.step": {
    "en": "Staircase",
    "ko": "계단식"
  },
  "schedule.cosine": {
    "en": "Cosine",
    "ko": "코사인"
  },
  "schedule.cosine-restarts": {
    "en": "Cosine with restarts",
    "ko": "재시작하는 코사인"
  },
  "schedule.warmup": {
    "en": "Warmup, then cosine",
    "ko": "워밍업 뒤 코사인"
  },
  "schedule.one-cycle": {
    "en": "One-cycle",
    "ko": "원사이클"
  },
  "schedule.own": {
    "en": "Your own",
    "ko": "직접 쓴 것"
  },
  "knob.inverse-time": {
    "en": "Decay",
    "ko": "감소율"
  },
  "knob.exponential": {
    "en": "Factor, per epoch",
    "ko": "에포크마다 곱할 값"
  },
  "knob.step": {
    "en": "Halved every … epochs",
    "ko": "절반으로 줄일 간격(에포크)"
  },
  "knob.cosine": {
    "en": "Ends at",
    "ko": "마지막 학습률"
  },
  "knob.cosine-restarts": {
    "en": "First cycle (epochs)",
    "ko": "첫 주기(에포크)"
  },
  "knob.warmup": {
    "en": "Warmup, % of the run",
    "ko": "워밍업, 전체의 %"
  },
  "schedules.try.early": {
    "en": "A decay of 3: the rate is small before the run has begun to need it.",
    "ko": "감소율을 3으로: 훈련이 제대로 시작되기도 전에 학습률이 작아집니다."
  },
  "schedules.try.low": {
    "en": "A peak of 0.01: on a rate that is too low, a decay does harm.",
    "ko": "최고 학습률을 0.01로: 너무 낮은 학습률에서는 감소가 해롭습니다."
  },
  "schedules.try.high": {
    "en": "A peak of 1: which of them survive?",
    "ko": "최고 학습률을 1로: 어느 것이 살아남을까요?"
  },
  "weights.name": {
    "en": "Initial weights",
    "ko": "가중치 초기화"
  },
  "weights.title": {
    "en": "Where weights start",
    "ko": "가중치는 어디서 출발하나"
  },
  "weights.text": {
    "en": "If all weights began at zero, all units of a layer would stay the same for ever; so they begin at random, and the question is how large. A unit adds up *n* inputs, so each layer multiplies the spread of its signals by about √*n* · std. Too large, and sigmoids **saturate** or ReLUs **explode**; too small, and everything **vanishes**.",
    "ko": "가중치가 모두 0에서 출발하면 한 층의 유닛들이 영원히 똑같이 움직입니다. 그래서 무작위로 시작하는데, 문제는 크기입니다. 유닛은 입력 *n*개를 더하므로 층마다 신호의 퍼짐에 대략 √*n* · std가 곱해집니다. 너무 크면 시그모이드는 **포화**하고 ReLU는 **폭주**하며, 너무 작으면 모두 **소실**됩니다."
  },
  "weights.formula": {
    "en": "Xavier: std = √(2 / (*n*~in~ + *n*~out~)), for sigmoid and tanh.  He: std = √(2 / *n*~in~), for ReLU, which drops half.",
    "ko": "Xavier: std = √(2 / (*n*~in~ + *n*~out~)), 시그모이드와 tanh용.  He: std = √(2 / *n*~in~), 절반을 버리는 ReLU용."
  },
  "weights.forward": {
    "en": "Activations on the way forward",
    "ko": "앞으로 가는 활성화 값"
  },
  "weights.back": {
    "en": "Gradients on the way back",
    "ko": "되돌아오는 기울기"
  },
  "weights.spread": {
    "en": "Standard deviation, layer by layer (log scale)",
    "ko": "층마다의 표준편차(로그 눈금)"
  },
  "weights.layer": {
    "en": "Layer {layer}: std {std}",
    "ko": "{layer}층: 표준편차 {std}"
  },
  "weights.activations.describe": {
    "en": "Histogram of activations. {title}; exactly zero: {zeros}",
    "ko": "활성화 값의 히스토그램. {title}, 정확히 0: {zeros}"
  },
  "weights.gradients.describe": {
    "en": "Histogram of gradients. {title}; exactly zero: {zeros}",
    "ko": "기울기의 히스토그램. {title}, 정확히 0: {zeros}"
  },
  "weights.spread.describe": {
    "en": "Activations have a standard deviation of {first} in the first layer and {last} in the last; the gradient that comes back to the first layer has {back}",
    "ko": "활성화 값의 표준편차는 첫 층 {first}, 마지막 층 {last}. 첫 층에 돌아온 기울기는 {back}"
  },
  "weights.signal": {
    "en": "activations",
    "ko": "활성화 값"
  },
  "weights.gradient": {
    "en": "gradients",
    "ko": "기울기"
  },
  "weights.xavier": {
    "en": "Set to Xavier, {std}",
    "ko": "Xavier로, {std}"
  },
  "weights.he": {
    "en": "Set to He, {std}",
    "ko": "He로, {std}"
  },
  "weights.healthy": {
    "en": "std = {std} is **healthy**: over these layers neither signals nor gradients vanish or explode.",
    "ko": "std = {std}: **정상**입니다. 이 층들을 지나는 동안 신호도 기울기도 소실되거나 폭주하지 않습니다."
  },
  "weights.saturated": {
    "en": "std = {std} **saturates**: most activations are where the function is flat.",
    "ko": "std = {std}: **포화**합니다. 활성화 값 대부분이 함수가 평평한 곳에 있습니다."
  },
  "weights.exploding": {
    "en": "std = {std} **explodes**: every layer makes signals or gradients larger.",
    "ko": "std = {std}: **폭주**합니다. 층을 지날 때마다 신호나 기울기가 커집니다."
  },
  "weights.vanishing": {
    "en": "std = {std} **vanishes**: every layer makes signals or gradients smaller.",
    "ko": "std = {std}: **소실**됩니다. 층을 지날 때마다 신호나 기울기가 작아집니다."
  },
  "weights.share": {
    "en": "In the worst layer {share} of them are.",
    "ko": "가장 심한 층에서는 {share}가 그렇습니다."
  },
  "weights.last": {
    "en": "The last layer’s activations have a standard deviation of {std}, the first layer’s gradients {gradient}.",
    "ko": "표준편차는 마지막 층의 활성화 값이 {std}, 첫 층의 기울기가 {gradient}입니다."
  },
  "weights.try.saturate": {
    "en": "Sigmoid with N(0, 1): activations pile up at 0 and 1.",
    "ko": "시그모이드에 N(0, 1): 활성화 값이 0과 1에 몰립니다."
  },
  "weights.try.explode": {
    "en": "ReLU with N(0, 1): tens of thousands after five layers.",
    "ko": "ReLU에 N(0, 1): 다섯 층 만에 만 단위가 됩니다."
  },
  "weights.try.he": {
    "en": "ReLU with He’s √(2/n), twenty layers: it holds.",
    "ko": "ReLU에 He의 √(2/n), 스무 층: 그대로 유지됩니다."
  },
  "weights.try.wrong": {
    "en": "The same with 2/√n, as some notes print it: a thousandfold.",
    "ko": "같은 것을 일부 노트에 적힌 2/√n으로: 천 배가 됩니다."
  },
  "overfitting.name": {
    "en": "Overfitting",
    "ko": "과적합"
  },
  "overfitting.title": {
    "en": "Overfitting, and what holds it back",
    "ko": "과적합과 이를 막는 방법"
  },
  "overfitting.text": {
    "en": "300 digits to learn from, and 1497 to be tested on. A network of 25 226 parameters learns the 300 by heart: the training loss goes to zero, and the validation loss falls, turns and rises. The distance between the two is **overfitting**. Set something against it, and compare with nothing.",
    "ko": "숫자 300개로 배우고 1,497개로 시험합니다. 매개변수가 25,226개인 신경망은 300개를 통째로 외워 버립니다. 훈련 손실은 0으로 가는데 검증 손실은 내려가다 돌아서서 올라갑니다. 둘 사이의 거리가 **과적합**입니다. 억제하는 방법을 하나씩 켜서, 아무것도 하지 않은 것과 비교해 보세요."
  },
  "overfitting.formula": {
    "en": "L2 adds ½λ*w*² to the loss, and draws weights to zero in proportion to their size.  L1 adds λ|*w*|, and draws all alike.  Dropout silences a random share of the units at every step.",
    "ko": "L2는 손실에 ½λ*w*²을 더해 가중치를 크기에 비례하여 0으로 당깁니다.  L1은 λ|*w*|를 더해 모두 같은 힘으로 당깁니다.  드롭아웃은 스텝마다 유닛의 일부를 무작위로 끕니다."
  },
  "overfitting.losses": {
    "en": "Losses on the digits that it learns from, and on the others",
    "ko": "배운 숫자와 처음 보는 숫자에 대한 손실"
  },
  "overfitting.accuracy": {
    "en": "Share of right answers on the digits that it has not seen",
    "ko": "처음 보는 숫자의 정답률"
  },
  "overfitting.describe": {
    "en": "The training loss ends at {train}, the validation loss at {valid}; the validation loss was lowest in epoch {epoch}, at {best}",
    "ko": "마지막 손실은 훈련 {train}, 검증 {valid}. 검증 손실 최저는 {epoch}에포크의 {best}"
  },
  "overfitting.accuracy.describe": {
    "en": "Accuracy at the end: {accuracy}",
    "ko": "마지막 정답률 {accuracy}"
  },
  "overfitting.best": {
    "en": "lowest",
    "ko": "최저"
  },
  "overfitting.stopped": {
    "en": "stopped after {epoch} epochs",
    "ko": "{epoch}에포크에서 멈춤"
  },
  "overfitting.valid": {
    "en": "validation",
    "ko": "검증"
  },
  "overfitting.train": {
    "en": "training",
    "ko": "훈련"
  },
  "overfitting.valid.none": {
    "en": "validation, with nothing",
    "ko": "검증, 아무것도 없을 때"
  },
  "overfitting.train.none": {
    "en": "training, with nothing",
    "ko": "훈련, 아무것도 없을 때"
  },
  "overfitting.verdict.none": {
    "en": "With nothing: the validation loss was lowest in epoch {epoch}, **{best}**, and ends at **{valid}**, when the training loss is {train}.",
    "ko": "아무것도 없을 때: 검증 손실의 최저는 {epoch}에포크의 **{best}**, 훈련 손실이 {train}까지 내려간 마지막에는 **{valid}**입니다."
  },
  "overfitting.verdict.holds": {
    "en": "It holds: the weights that are kept have a validation loss of **{valid}** instead of {none}.",
    "ko": "막아 줍니다. 간직한 가중치의 검증 손실은 아무것도 없을 때의 {none} 대신 **{valid}**입니다."
  },
  "overfitting.verdict.not": {
    "en": "It does not help: the weights that are kept have a validation loss of **{valid}**, and with nothing it is {none}.",
    "ko": "도움이 되지 않습니다. 간직한 가중치의 검증 손실은 **{valid}**, 아무것도 없을 때는 {none}입니다."
  },
  "overfitting.sparse": {
    "en": "Of all parameters {small} are next to nothing (below 0.001).",
    "ko": "매개변수의 {small}가 거의 0입니다(0.001 미만)."
  },
  "overfitting.try.none": {
    "en": "Nothing at all.",
    "ko": "아무것도 없이."
  },
  "overfitting.try.l2": {
    "en": "L2 with λ = 0.003.",
    "ko": "λ = 0.003인 L2."
  },
  "overfitting.try.l1": {
    "en": "L1 with λ = 0.0001.",
    "ko": "λ = 0.0001인 L1."
  },
  "overfitting.try.dropout": {
    "en": "Dropout of one half. It is noise, so it wants a lower rate, with an end.",
    "ko": "절반을 끄는 드롭아웃. 이것도 잡음이므로 더 낮은 학습률과 감소가 필요합니다."
  },
  "overfitting.try.noisy": {
    "en": "The same dropout at the constant 0.01: it makes things worse.",
    "ko": "같은 드롭아웃을 일정한 0.01로: 오히려 해가 됩니다."
  },
  "overfitting.try.stop": {
    "en": "Early stopping: keep the best epoch, stop ten epochs after it.",
    "ko": "조기 종료: 가장 좋은 에포크를 간직하고, 열 에포크 뒤에 멈춥니다."
  },
  "wall.name": {
    "en": "The wall 2/λ",
    "ko": "벽 2/λ"
  },
  "wall.title": {
    "en": "The stability limit, a wall at 2/λ",
    "ko": "안정 한계, 2/λ에 선 벽"
  },
  "wall.text": {
    "en": "Along a direction with curvature λ, a step multiplies the error by 1 − ηλ, whatever the error is. Below 1 in size it shrinks, above it grows, and in between there is nothing. So the highest rate that is stable can be computed, and it is a wall: push against it.",
    "ko": "곡률이 λ인 방향에서 한 걸음은 오차에 1 − ηλ를 곱합니다. 오차가 얼마든 그렇습니다. 그 크기가 1보다 작으면 줄고 1보다 크면 커지며, 중간은 없습니다. 그러니 안정한 학습률의 한계는 계산할 수 있고, 그 한계는 벽입니다. 밀어 보세요."
  },
  "wall.formula": {
    "en": "*x* ← *x* − ηλ*x* = (1 − ηλ) *x*, stable while η < 2 / λ",
    "ko": "*x* ← *x* − ηλ*x* = (1 − ηλ) *x*, 안정 조건 η < 2 / λ"
  },
  "wall.parabola.title": {
    "en": "On a parabola",
    "ko": "포물선에서"
  },
  "wall.parabola.text": {
    "en": "Gradient descent on λx²/2, from x = 1. Drag the ball on the first picture against the wall, or move the wall with the curvature.",
    "ko": "x = 1에서 출발해 λx²/2를 경사 하강법으로 내려갑니다. 첫 그림의 공을 벽 쪽으로 끌거나, 곡률을 바꿔 벽을 옮겨 보세요."
  },
  "wall.rates": {
    "en": "The rate, and the wall",
    "ko": "학습률과 벽"
  },
  "wall.curve": {
    "en": "The way on the parabola",
    "ko": "포물선 위의 경로"
  },
  "wall.steps": {
    "en": "Distance from the minimum, step by step (log scale)",
    "ko": "스텝마다 최솟값까지의 거리(로그 눈금)"
  },
  "wall.rates.describe": {
    "en": "The rate {rate} on a line with a wall at {limit}",
    "ko": "학습률 {rate}, 벽은 {limit}"
  },
  "wall.curve.describe": {
    "en": "The path on the parabola: every step multiplies x by {factor}",
    "ko": "포물선 위의 경로. 한 걸음마다 x가 {factor}배"
  },
  "wall.steps.describe": {
    "en": "The distance from the minimum over forty steps, multiplied by the size of {factor} at each",
    "ko": "40스텝 동안 최솟값까지의 거리. 한 걸음마다 x가 {factor}배"
  },
  "wall.one-step": {
    "en": "η = {rate} is 1/λ: **one step**, and it is there.",
    "ko": "η = {rate}: 정확히 1/λ입니다. **한 걸음**에 도착합니다."
  },
  "wall.straight": {
    "en": "η = {rate}: every step multiplies x by {factor}. It comes **straight down**.",
    "ko": "η = {rate}: 한 걸음마다 x가 {factor}배가 됩니다. **곧장 내려갑니다**."
  },
  "wall.crawls": {
    "en": "η = {rate}: every step multiplies x by {factor}. It **crawls**.",
    "ko": "η = {rate}: 한 걸음마다 x가 {factor}배가 됩니다. **기어갑니다**."
  },
  "wall.overshoots": {
    "en": "η = {rate}: every step multiplies x by {factor}. It **overshoots**, and comes nearer all the same: overshooting alone is no harm.",
    "ko": "η = {rate}: 한 걸음마다 x가 {factor}배가 됩니다. 최솟값을 **지나치지만** 그래도 가까워집니다. 지나치는 것 자체는 문제가 아닙니다."
  },
  "wall.for-ever": {
    "en": "η = {rate} is **exactly the wall**, 2/λ: it swings from side to side for ever.",
    "ko": "η = {rate}: **정확히 벽**(2/λ)입니다. 좌우로 영원히 흔들립니다."
  },
  "wall.diverges": {
    "en": "η = {rate} is **behind the wall** at {limit}: every step multiplies x by {factor}, and it diverges.",
    "ko": "η = {rate}: 벽({limit})을 **넘었습니다**. 한 걸음마다 x가 {factor}배가 되어 발산합니다."
  },
  "wall.try.one": {
    "en": "η = 1/λ: one step.",
    "ko": "η = 1/λ: 한 걸음이면 됩니다."
  },
  "wall.try.at": {
    "en": "η = 2/λ: for ever from side to side.",
    "ko": "η = 2/λ: 영원히 좌우로 흔들립니다."
  },
  "wall.try.over": {
    "en": "Two percent behind the wall.",
    "ko": "벽을 2%만 넘으면."
  },
  "wall.try.steep": {
    "en": "Leave the rate, double the curvature: the wall comes to the rate.",
    "ko": "학습률은 그대로, 곡률을 두 배로: 벽이 학습률 쪽으로 다가옵니다."
  },
  "wall.patients.title": {
    "en": "On real data",
    "ko": "실제 데이터에서"
  },
  "wall.patients.text": {
    "en": "A linear model with a squared error is such a valley, in as many directions as it has weights. With all 354 patients in one batch there is no noise, and the steepest curvature of all decides; it is measured, and the wall stands where it says.",
    "ko": "제곱 오차를 쓰는 선형 모델은 가중치 수만큼의 방향을 가진 바로 그런 골짜기입니다. 환자 354명을 한 배치에 모두 넣으면 잡음이 없고, 가장 가파른 곡률이 한계를 정합니다. 곡률을 재면 벽은 정확히 그 자리에 있습니다."
  },
  "wall.losses": {
    "en": "Training loss over 200 epochs (log scale); the last few rates stay, in grey",
    "ko": "200에포크 동안의 훈련 손실(로그 눈금). 앞서 본 학습률은 회색으로 남습니다"
  },
  "wall.losses.describe": {
    "en": "The training loss at rate {rate}; the limit is {limit}; the last loss that is seen is {loss}",
    "ko": "학습률 {rate}의 훈련 손실. 한계는 {limit}, 마지막 손실은 {loss}"
  },
  "wall.patients.below": {
    "en": "The curvature is {sharpness}, so the wall is at **{limit}**. η = {rate} is {share}% of that: **stable**.",
    "ko": "곡률은 {sharpness}, 따라서 벽은 **{limit}**에 있습니다. η = {rate}: 벽의 {share}%, **안정**합니다."
  },
  "wall.patients.above": {
    "en": "The curvature is {sharpness}, so the wall is at **{limit}**. η = {rate} is {share}% of that: **it blows up**, be it late.",
    "ko": "곡률은 {sharpness}, 따라서 벽은 **{limit}**에 있습니다. η = {rate}: 벽의 {share}%, 늦더라도 **폭발합니다**."
  },
  "wall.try.below": {
    "en": "η = 0.243, just in front of the wall.",
    "ko": "η = 0.243, 벽 바로 앞."
  },
  "wall.try.above": {
    "en": "η = 0.2445, just behind it.",
    "ko": "η = 0.2445, 벽 바로 뒤."
  },
  "wall.try.far": {
    "en": "η = 0.26: it leaves at once.",
    "ko": "η = 0.26: 금방 벗어납니다."
  },
  "finder.name": {
    "en": "Finding the rate",
    "ko": "학습률 찾기"
  },
  "finder.title": {
    "en": "Finding the rate: rehearsals",
    "ko": "학습률 찾기: 예행연습"
  },
  "finder.text": {
    "en": "Instead of guessing: let the rate grow at every step of one short training, and watch the loss. It falls, and then blows up. This **range test** tells where rates begin to work and where they stop, but the loss of one step is no result; so the whole run is then **rehearsed** in miniature with a few rates, and the best is recommended. Guess first, then compare.",
    "ko": "어림짐작하는 대신, 짧은 훈련을 한 번 하면서 스텝마다 학습률을 키우고 손실을 지켜봅니다. 손실은 내려가다가 폭발합니다. 이 **범위 시험**은 학습률이 어디부터 듣기 시작하고 어디서 끝나는지를 알려 주지만, 한 스텝의 손실이 훈련의 결과는 아닙니다. 그래서 몇 가지 학습률로 전체 훈련을 축소판으로 **예행연습**해 보고 가장 좋은 것을 추천합니다. 먼저 어림해 보고, 비교해 보세요."
  },
  "finder.formula": {
    "en": "At most a fifth of the steps of the run: range test, then up to six rehearsals, each of the whole schedule at another peak.",
    "ko": "전체 스텝의 5분의 1까지만 씁니다. 범위 시험, 그다음 최고 학습률을 바꿔 가며 스케줄 전체를 여섯 번까지 예행연습합니다."
  },
  "finder.search": {
    "en": "Loss against the rate (log scale)",
    "ko": "학습률에 따른 손실(로그 눈금)"
  },
  "finder.training": {
    "en": "The whole run, with the rate that was found and with yours: training loss (log scale)",
    "ko": "찾은 학습률과 내 학습률로 끝까지 훈련한 훈련 손실(로그 눈금)"
  },
  "finder.describe": {
    "en": "The range test falls and then blows up at {diverges}; {count} rehearsals; recommended is {recommended}",
    "ko": "범위 시험은 내려가다 {diverges}에서 폭발. 예행연습 {count}번, 추천 학습률 {recommended}"
  },
  "finder.training.describe": {
    "en": "Training losses at the end: {found} with the rate that was found, {guessed} with the guess",
    "ko": "마지막 훈련 손실: 찾은 학습률 {found}, 어림한 학습률 {guessed}"
  },
  "finder.recommended": {
    "en": "found {rate}",
    "ko": "추천 {rate}"
  },
  "finder.guess": {
    "en": "yours {rate}",
    "ko": "내 학습률 {rate}"
  },
  "finder.curve": {
    "en": "range test",
    "ko": "범위 시험"
  },
  "finder.rehearsal": {
    "en": "rehearsals",
    "ko": "예행연습"
  },
  "finder.with-found": {
    "en": "found, η = {rate}",
    "ko": "추천, η = {rate}"
  },
  "finder.with-guess": {
    "en": "yours, η = {rate}",
    "ko": "내 학습률, η = {rate}"
  },
  "finder.verdict": {
    "en": "Found in {share}% of the run’s steps, by {count} rehearsals: **{recommended}**.",
    "ko": "전체 스텝의 {share}%, 예행연습 {count}번으로 찾은 학습률: **{recommended}**."
  },
  "finder.shorter": {
    "en": "The best rehearsal was at {best}: what is best in so short a run is too high for a longer one.",
    "ko": "가장 좋았던 예행연습의 학습률은 {best}입니다. 짧은 훈련에 가장 좋은 학습률은 긴 훈련에는 너무 높습니다."
  },
  "finder.verdict.blew": {
    "en": "Yours blows up.",
    "ko": "내 학습률은 폭발합니다."
  },
  "finder.verdict.better": {
    "en": "Yours is better: {guessed} against {found}.",
    "ko": "내 학습률이 더 낫습니다. 훈련 손실 {guessed}, 추천은 {found}."
  },
  "finder.verdict.near": {
    "en": "Yours is as good: {guessed} and {found}.",
    "ko": "내 학습률도 그만큼 좋습니다. 훈련 손실 {guessed}, 추천은 {found}."
  },
  "finder.verdict.far": {
    "en": "With yours the training loss ends at {guessed}, with the one found at {found}.",
    "ko": "마지막 훈련 손실: 내 학습률 {guessed}, 추천 {found}."
  },
  "finder.try.low": {
    "en": "A cautious guess, 0.001.",
    "ko": "조심스러운 어림, 0.001."
  },
  "finder.try.high": {
    "en": "A bold guess, 3.",
    "ko": "대담한 어림, 3."
  },
  "finder.try.adam": {
    "en": "Adam: its rates are of another size.",
    "ko": "Adam: 학습률의 크기부터 다릅니다."
  },
  "finder.try.batch": {
    "en": "Batches of 256: how far does the recommendation move?",
    "ko": "배치를 256으로: 추천값이 얼마나 움직일까요?"
  },
  "search.name": {
    "en": "Searching",
    "ko": "하이퍼파라미터 탐색"
  },
  "search.title": {
    "en": "Searching: random, grid, coarse to fine",
    "ko": "탐색: 무작위, 격자, 거칠게에서 세밀하게"
  },
  "search.text": {
    "en": "Settings have to be chosen together, and one of them matters more than the others. A grid of 36 trials tries six rates, each six times; 36 random trials try 36 rates. Coarse to fine begins at random, and then looks closer where it was good. Search on a **log scale**: what matters is the factor, and on a linear one nearly all trials go to the highest decade.",
    "ko": "하이퍼파라미터는 함께 골라야 하고, 그중 하나가 나머지보다 훨씬 중요합니다. 36번의 격자 탐색은 학습률 여섯 개를 여섯 번씩 시험하고, 36번의 무작위 탐색은 학습률 36개를 시험합니다. 거칠게에서 세밀하게 가는 탐색은 무작위로 시작해 좋았던 곳을 더 가까이 봅니다. **로그 눈금**에서 찾으세요. 중요한 것은 차이가 아니라 배율이고, 선형 눈금에서는 거의 모든 시도가 가장 높은 자릿수로 몰립니다."
  },
  "search.formula": {
    "en": "log scale: η = 10ᵘ, *u* uniform from −4 to 0; every decade gets as many trials as any other.",
    "ko": "로그 눈금: η = 10ᵘ, *u*는 −4에서 0까지 고르게. 자릿수마다 시도 횟수가 같습니다."
  },
  "sampler.random": {
    "en": "Random",
    "ko": "무작위"
  },
  "sampler.grid": {
    "en": "Grid",
    "ko": "격자"
  },
  "sampler.coarse-to-fine": {
    "en": "Coarse to fine",
    "ko": "거칠게에서 세밀하게"
  },
  "search.best": {
    "en": "Lowest validation loss so far (log scale)",
    "ko": "지금까지의 최저 검증 손실(로그 눈금)"
  },
  "search.map-note": {
    "en": "Each dot is a training of 300 digits for eight epochs at a rate (to the right) and an L2 penalty (upwards); the more the ground stands out, the lower the validation loss there. No search sees the ground. The dots along the bottom are the rates that were tried.",
    "ko": "점 하나가 훈련 한 번입니다(숫자 300개, 8에포크). 오른쪽으로 갈수록 학습률이, 위로 갈수록 L2가 커지고, 바탕이 도드라질수록 검증 손실이 낮습니다. 탐색은 바탕을 보지 못합니다. 맨 아래의 점들은 시험해 본 학습률입니다."
  },
  "search.describe": {
    "en": "{sampler}: {count} trials with {different} different rates; the best has a validation loss of {loss}, at rate {rate} and L2 penalty {l2}",
    "ko": "{sampler}: 시도 {count}번, 서로 다른 학습률 {different}개. 최저 검증 손실 {loss}, 학습률 {rate}, L2 {l2}"
  },
  "search.best.describe": {
    "en": "Lowest validation loss after all trials: {list}",
    "ko": "모든 시도 뒤의 최저 검증 손실: {list}"
  },
  "search.verdict": {
    "en": "Of {count} trials, random tries {random} different rates and the grid {grid}. Lowest here: **{winner}**, {loss} at η = {rate}. Another seed may say otherwise.",
    "ko": "{count}번의 시도에서 무작위는 서로 다른 학습률 {random}개를, 격자는 {grid}개를 시험합니다. 이번에 가장 낮은 것: **{winner}**, η = {rate}에서 {loss}. 시드를 바꾸면 달라질 수 있습니다."
  },
  "search.try.few": {
    "en": "Nine trials: the grid has three rates to find the best with.",
    "ko": "시도 아홉 번: 격자에는 학습률이 세 개뿐입니다."
  },
  "search.try.linear": {
    "en": "A linear scale: all the trials are at the right edge.",
    "ko": "선형 눈금: 시도가 모두 오른쪽 끝으로 몰립니다."
  },
  "search.try.luck": {
    "en": "Sixteen trials and another seed: how much of it is luck?",
    "ko": "시도 열여섯 번에 다른 시드: 얼마나 운일까요?"
  }
};
